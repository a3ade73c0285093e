-- Terminal sessions. `status`, `ended_at`, `close_reason` and `last_activity` are written by the relay too.

CREATE TABLE terminal_sessions (
  id TEXT PRIMARY KEY,
  -- Attaching again, and closing, look a session up by it.
  session_id TEXT NOT NULL UNIQUE,
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  machine_id TEXT NOT NULL REFERENCES machines (id),
  user_id TEXT NOT NULL REFERENCES users (id),
  username TEXT NOT NULL,
  source TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'closed')),
  started_at TEXT NOT NULL,
  ended_at TEXT,
  last_activity TEXT NOT NULL,
  close_reason TEXT,
  browser TEXT NOT NULL,
  os TEXT NOT NULL,
  user_agent TEXT NOT NULL,
  ip_address TEXT NOT NULL,
  cols INTEGER NOT NULL,
  rows INTEGER NOT NULL,
  command_count INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The two forms of the list of active sessions: an organization's, and one's own. Closed ones, which are nearly all, cost it
-- nothing.
CREATE INDEX terminal_sessions_active ON terminal_sessions (organization_id, started_at) WHERE status = 'active';
CREATE INDEX terminal_sessions_active_of_user ON terminal_sessions (user_id, started_at) WHERE status = 'active';

-- Deleting a machine deletes its sessions.
CREATE INDEX terminal_sessions_by_machine ON terminal_sessions (machine_id);
