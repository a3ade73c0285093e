-- Past sessions are listed, too, newest first: of an organization, of an account, of a machine, and of all. Each list reads as many
-- rows as it shows.
DROP INDEX terminal_sessions_by_organization;
DROP INDEX terminal_sessions_by_user;
CREATE INDEX terminal_sessions_by_organization ON terminal_sessions (organization_id, started_at, id);
CREATE INDEX terminal_sessions_by_user ON terminal_sessions (user_id, started_at, id);
CREATE INDEX terminal_sessions_by_start ON terminal_sessions (started_at, id);

-- It leads with the machine, so it also finds what goes with one that is deleted.
DROP INDEX terminal_sessions_by_machine;
CREATE INDEX terminal_sessions_by_machine ON terminal_sessions (machine_id, started_at, id);

-- What people call a session. Its `session_id` is what programs attach by.
ALTER TABLE terminal_sessions ADD COLUMN name TEXT NOT NULL DEFAULT '';
