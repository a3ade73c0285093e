-- Who was invited to a session that runs, and the links that invite to it. They are of one opening of it: when it closes, they go.
CREATE TABLE session_shares (
  id TEXT PRIMARY KEY,
  -- The session's row.
  session TEXT NOT NULL REFERENCES terminal_sessions (id) ON DELETE CASCADE,
  organization_id TEXT NOT NULL,
  machine_id TEXT NOT NULL,
  -- Whom; NULL of a link.
  user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
  -- By which link somebody came, if by one. It takes them along when it is withdrawn.
  link TEXT REFERENCES session_shares (id) ON DELETE CASCADE,
  -- Of a link's token, which nobody but who has the link has.
  digest TEXT UNIQUE,
  can_type INTEGER NOT NULL CHECK (can_type IN (0, 1)),
  created_at TEXT NOT NULL,
  -- NULL is as long as the session.
  expires_at TEXT,
  -- Sent away again: the link by which they came does not let them in a second time.
  removed_at TEXT,
  UNIQUE (session, user_id),
  CHECK (user_id IS NOT NULL OR (digest IS NOT NULL AND expires_at IS NOT NULL AND link IS NULL))
) STRICT;

-- What is shared with somebody, and what goes with a link.
CREATE INDEX session_shares_by_user ON session_shares (user_id);
CREATE INDEX session_shares_by_link ON session_shares (link) WHERE link IS NOT NULL;

CREATE TRIGGER terminal_sessions_shares_end AFTER UPDATE OF status ON terminal_sessions
WHEN OLD.status = 'active' AND NEW.status = 'closed'
BEGIN
  DELETE FROM session_shares WHERE session = NEW.id;
END;
