-- Commands that wait for an administrator to approve them. SQLite changes no condition of a column, so that the table is made anew.

CREATE TABLE new_commands (
  -- By creation.
  id TEXT PRIMARY KEY,
  organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  machine_id TEXT NOT NULL REFERENCES machines (id) ON DELETE CASCADE,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  username TEXT NOT NULL,
  -- Those that were sent to many machines at once.
  batch_id TEXT,
  source TEXT NOT NULL CHECK (source IN ('api', 'script')),
  command TEXT NOT NULL,
  timeout_seconds INTEGER NOT NULL,
  -- What it may do, and by what its sender proved who they are: looked at again before it starts.
  sudo INTEGER NOT NULL,
  token_version INTEGER,
  key_id TEXT,
  status TEXT NOT NULL DEFAULT 'queued'
    CHECK (status IN ('queued', 'sent', 'completed', 'timeout', 'cancelled', 'failed', 'unknown', 'expired', 'awaiting_approval',
      'refused', 'rejected')),
  exit_code INTEGER,
  signal TEXT,
  error TEXT,
  truncated INTEGER NOT NULL DEFAULT 0,
  duration_ms INTEGER,
  created_at TEXT NOT NULL,
  sent_at TEXT,
  finished_at TEXT,
  -- The session that it was asked for in.
  session_id TEXT,
  -- Who approved or rejected it, by name, as the account may go before the command does.
  decided_by TEXT,
  decided_at TEXT,
  decision_reason TEXT
) STRICT;

INSERT INTO new_commands (id, organization_id, machine_id, user_id, username, batch_id, source, command, timeout_seconds, sudo,
    token_version, key_id, status, exit_code, signal, error, truncated, duration_ms, created_at, sent_at, finished_at, session_id)
  SELECT id, organization_id, machine_id, user_id, username, batch_id, source, command, timeout_seconds, sudo,
    token_version, key_id, status, exit_code, signal, error, truncated, duration_ms, created_at, sent_at, finished_at, session_id
  FROM commands;

DROP TABLE commands;

ALTER TABLE new_commands RENAME TO commands;

-- The list, of an organization and of one machine.
CREATE INDEX commands_by_organization ON commands (organization_id, id);
CREATE INDEX commands_by_machine ON commands (machine_id, id);
CREATE INDEX commands_by_batch ON commands (batch_id, id) WHERE batch_id IS NOT NULL;

-- Whose relays are asked when a right is withdrawn. Few have not ended.
CREATE INDEX commands_unfinished ON commands (organization_id, machine_id) WHERE finished_at IS NULL;
CREATE INDEX commands_unfinished_of_machine ON commands (machine_id) WHERE finished_at IS NULL;
CREATE INDEX commands_of_user ON commands (user_id, finished_at, machine_id);

-- Whether a machine runs its first script: looked at for each machine of a list.
CREATE INDEX commands_first_scripts ON commands (machine_id) WHERE source = 'script' AND finished_at IS NULL;

-- What is removed because it is old.
CREATE INDEX commands_finished ON commands (finished_at) WHERE finished_at IS NOT NULL;
