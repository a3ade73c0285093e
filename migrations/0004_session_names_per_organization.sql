-- A session's name is its organization's own: a name that another organization uses is as free as one that nobody does, so
-- that nobody learns of it or is kept from it. SQLite changes a table's constraints by making the table anew.

CREATE TABLE sessions_by_organization (
  id TEXT PRIMARY KEY,
  session_id TEXT NOT NULL,
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
  command_count INTEGER NOT NULL DEFAULT 0,
  -- Attaching again, and closing, look a session up by it.
  UNIQUE (session_id, organization_id)
) STRICT;

INSERT INTO sessions_by_organization
  SELECT id, session_id, organization_id, machine_id, user_id, username, source, status, started_at, ended_at, last_activity,
    close_reason, browser, os, user_agent, ip_address, cols, rows, command_count
  FROM terminal_sessions;

DROP TABLE terminal_sessions;

ALTER TABLE sessions_by_organization RENAME TO terminal_sessions;

-- The two forms of the list of active sessions: an organization's, and one's own. Closed ones, which are nearly all, cost it
-- nothing.
CREATE INDEX terminal_sessions_active ON terminal_sessions (organization_id, started_at) WHERE status = 'active';
CREATE INDEX terminal_sessions_active_of_user ON terminal_sessions (user_id, started_at) WHERE status = 'active';

-- Deleting a machine deletes its sessions.
CREATE INDEX terminal_sessions_by_machine ON terminal_sessions (machine_id);
