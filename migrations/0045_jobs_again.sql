-- What a job was given, sealed, so that it can be run again; nothing if it takes nothing, or ran before this was kept. No answer has it.
ALTER TABLE jobs ADD COLUMN inputs_sealed TEXT;

-- The one that it repeats, as long as that is kept.
ALTER TABLE jobs ADD COLUMN parent_job_id TEXT REFERENCES jobs (id) ON DELETE SET NULL;

-- Those that repeat one, newest first; and what its foreign key looks for.
CREATE INDEX jobs_by_parent ON jobs (parent_job_id, started_at DESC, id) WHERE parent_job_id IS NOT NULL;

-- Since when an organization's vault password is what it is, and by whom; nothing if it is none, or was given before this was kept.
ALTER TABLE organizations ADD COLUMN vault_set_at TEXT;
ALTER TABLE organizations ADD COLUMN vault_set_by TEXT;

-- Jobs are kept as long as an organization's command log, from their end (command_log_days): the oldest that are over.
CREATE INDEX jobs_finished ON jobs (organization_id, finished_at) WHERE finished_at IS NOT NULL;

-- How many of them were removed within an hour.
ALTER TABLE log_runs ADD COLUMN jobs INTEGER NOT NULL DEFAULT 0;
