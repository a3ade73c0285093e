-- Jobs: runs of a service's scripts on its runner, and what they wrote. A job outlives its machine and whoever started it.

CREATE TABLE jobs (
  -- 8 hex digits: what published clients take for an id. A number that is taken is refused, and another is tried.
  id TEXT PRIMARY KEY,
  organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  machine_id TEXT REFERENCES machines (id) ON DELETE SET NULL,
  service TEXT NOT NULL,
  action TEXT NOT NULL,
  script TEXT,
  status TEXT NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'completed', 'failed')),
  started_at TEXT NOT NULL,
  finished_at TEXT,
  exit_code INTEGER,
  signal TEXT,
  deployment_id TEXT,
  user_id TEXT REFERENCES users (id) ON DELETE SET NULL,
  username TEXT NOT NULL,
  -- Who called it off, as soon as that was asked for.
  cancelled_by TEXT,
  -- What people should know who see no more of the output: its last line.
  note TEXT,
  -- How much of the output is in job_output, in bytes, and how many lines end there.
  output_bytes INTEGER NOT NULL DEFAULT 0,
  output_lines INTEGER NOT NULL DEFAULT 0
) STRICT;

-- An organization's, newest first, and those of one service.
CREATE INDEX jobs_by_start ON jobs (organization_id, started_at DESC, id);
CREATE INDEX jobs_by_service ON jobs (organization_id, service, started_at DESC, id);

-- What a runner is compared with when it says which it has; and what foreign keys look for.
CREATE INDEX jobs_by_machine ON jobs (machine_id, status);
CREATE INDEX jobs_of_user ON jobs (user_id);

CREATE TABLE job_output (
  job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  -- How many bytes come before it, and how many lines end there.
  offset INTEGER NOT NULL,
  line INTEGER NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (job_id, offset)
) STRICT, WITHOUT ROWID;

-- A machine that is gone or revoked says nothing of its jobs any more.
CREATE TRIGGER jobs_of_revoked_machines AFTER UPDATE OF status ON machines WHEN NEW.status = 'revoked'
BEGIN
  UPDATE jobs SET status = 'failed', finished_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), note = '[ERROR: the runner was revoked]'
    WHERE machine_id = NEW.id AND status = 'running';
END;

CREATE TRIGGER jobs_of_deleted_machines BEFORE DELETE ON machines
BEGIN
  UPDATE jobs SET status = 'failed', finished_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), note = '[ERROR: the runner was deleted]'
    WHERE machine_id = OLD.id AND status = 'running';
END;
