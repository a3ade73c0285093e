-- A session of the Sessions API is there before its client comes. Until when it waits; nothing once somebody came.
ALTER TABLE terminal_sessions ADD COLUMN attach_until TEXT;

-- Those that wait, to be ended when nobody came.
CREATE INDEX terminal_sessions_waiting ON terminal_sessions (attach_until) WHERE attach_until IS NOT NULL;

-- What opens the socket of one session, for an hour.
CREATE TABLE session_tokens (
  -- Of the token, which nobody but the client has.
  digest TEXT PRIMARY KEY,
  session TEXT NOT NULL REFERENCES terminal_sessions (id) ON DELETE CASCADE,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- What it was made by: what ends that, ends what it opens.
  sign_in TEXT NOT NULL,
  -- None if that was a key.
  token_version INTEGER,
  -- When the key expires, in milliseconds since the Unix epoch.
  key_until INTEGER,
  expires_at TEXT NOT NULL
) STRICT;

CREATE INDEX session_tokens_by_session ON session_tokens (session);
CREATE INDEX session_tokens_by_user ON session_tokens (user_id);
CREATE INDEX session_tokens_by_expiry ON session_tokens (expires_at);
