-- Commands without a terminal. `status` and what follows from `exit_code` to `finished_at` is written by the relay, too.

CREATE TABLE commands (
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
    CHECK (status IN ('queued', 'sent', 'completed', 'timeout', 'cancelled', 'failed', 'unknown', 'expired')),
  exit_code INTEGER,
  signal TEXT,
  error TEXT,
  truncated INTEGER NOT NULL DEFAULT 0,
  duration_ms INTEGER,
  created_at TEXT NOT NULL,
  sent_at TEXT,
  finished_at TEXT
) STRICT;

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
