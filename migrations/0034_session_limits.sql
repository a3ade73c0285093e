-- What an organization grants the sessions on its machines. 0 is no limit. The next session is refused when as many run as may: that
-- is counted over the rows that are `active`, by the indexes their lists have. The other three are told to agents with each session.
ALTER TABLE organizations ADD COLUMN terminal_idle_minutes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE organizations ADD COLUMN max_sessions INTEGER NOT NULL DEFAULT 0;
ALTER TABLE organizations ADD COLUMN max_user_sessions INTEGER NOT NULL DEFAULT 0;
ALTER TABLE organizations ADD COLUMN max_processes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE organizations ADD COLUMN max_memory_mb INTEGER NOT NULL DEFAULT 0;
