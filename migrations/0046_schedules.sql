-- Schedules: jobs that the clock starts, and what became of each time that one was due.

CREATE TABLE schedules (
  id TEXT PRIMARY KEY,
  organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  -- As paths have it: the service that is called so when it is due.
  service TEXT NOT NULL,
  -- NULL for deploy.sh.
  script TEXT,
  -- JSON, sealed: there may be passwords in it. Their names are for people.
  inputs_sealed TEXT NOT NULL,
  input_names TEXT NOT NULL,
  cron TEXT NOT NULL,
  time_zone TEXT NOT NULL,
  enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
  -- Why it has switched itself off.
  off_reason TEXT NOT NULL DEFAULT '',
  overlap TEXT NOT NULL CHECK (overlap IN ('skip', 'allow')),
  missed TEXT NOT NULL CHECK (missed IN ('skip', 'run_once')),
  -- Whose jobs it starts.
  user_id TEXT REFERENCES users (id) ON DELETE SET NULL,
  username TEXT NOT NULL,
  -- Whoever starts a run moves this on first, so that nobody else starts the same.
  next_run_at TEXT,
  created_at TEXT NOT NULL,
  CHECK ((enabled = 1) = (next_run_at IS NOT NULL))
) STRICT;

CREATE INDEX schedules_by_name ON schedules (organization_id, name, id);
CREATE INDEX schedules_due ON schedules (next_run_at) WHERE enabled = 1;
CREATE INDEX schedules_of_user ON schedules (user_id);

-- Each time that one was due is here once, and is started by whoever put it here.
CREATE TABLE schedule_runs (
  schedule_id TEXT NOT NULL REFERENCES schedules (id) ON DELETE CASCADE,
  due_at TEXT NOT NULL,
  at TEXT NOT NULL,
  outcome TEXT NOT NULL
    CHECK (outcome IN ('started', 'skipped_running', 'runner_offline', 'missed', 'not_allowed', 'failed_to_start')),
  reason TEXT NOT NULL,
  job_id TEXT REFERENCES jobs (id) ON DELETE SET NULL,
  PRIMARY KEY (schedule_id, due_at)
) STRICT, WITHOUT ROWID;

CREATE INDEX schedule_runs_by_age ON schedule_runs (due_at);
CREATE INDEX schedule_runs_of_job ON schedule_runs (job_id) WHERE job_id IS NOT NULL;

-- Of one schedule the newest 200 are kept: one that runs each minute would fill the database, and nobody reads more.
CREATE TRIGGER schedule_runs_are_bounded AFTER INSERT ON schedule_runs
BEGIN
  DELETE FROM schedule_runs WHERE schedule_id = NEW.schedule_id AND due_at IN (
    SELECT due_at FROM schedule_runs WHERE schedule_id = NEW.schedule_id ORDER BY due_at DESC LIMIT -1 OFFSET 200
  );
END;

-- Which jobs the clock started. Also what says whether the one before still runs.
ALTER TABLE jobs ADD COLUMN schedule_id TEXT REFERENCES schedules (id) ON DELETE SET NULL;
CREATE INDEX jobs_of_schedule ON jobs (schedule_id, status) WHERE schedule_id IS NOT NULL;
