-- One number of an organization, `command_log_days`, says for how many days its command log is kept, its sessions that ended, and
-- commands that were sent and ended; 0 is for ever. It is looked at when rows are removed, so a change counts for what is there already.

-- The oldest of an organization, to be removed.
DROP INDEX terminal_sessions_ended;
CREATE INDEX terminal_sessions_ended ON terminal_sessions (organization_id, ended_at) WHERE status = 'closed';

-- The same. Scripts are rows of their own, which stay with their machine.
DROP INDEX commands_finished;
CREATE INDEX commands_finished ON commands (organization_id, finished_at) WHERE finished_at IS NOT NULL AND source <> 'script';

-- What was removed of an organization because its time was over: a row for each hour in which something was, so that a year of
-- removals every minute is no long list.
CREATE TABLE log_runs (
  organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  -- Of UTC: "2026-01-31T23".
  hour TEXT NOT NULL,
  started_at TEXT NOT NULL,
  finished_at TEXT NOT NULL,
  commands_logged INTEGER NOT NULL DEFAULT 0,
  sessions INTEGER NOT NULL DEFAULT 0,
  commands_sent INTEGER NOT NULL DEFAULT 0,
  recordings INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (organization_id, hour)
) STRICT, WITHOUT ROWID;

-- What is removed because it is old.
CREATE INDEX log_runs_by_hour ON log_runs (hour);
