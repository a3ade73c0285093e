-- A session may be opened again under its name. An end that is told late is of the opening before and must not close the new
-- one, so openings are counted.
ALTER TABLE terminal_sessions ADD COLUMN openings INTEGER NOT NULL DEFAULT 1;

-- What a machine's relay is compared with, and what each that comes in is looked up in.
CREATE INDEX terminal_sessions_active_of_machine ON terminal_sessions (machine_id, session_id) WHERE status = 'active';
