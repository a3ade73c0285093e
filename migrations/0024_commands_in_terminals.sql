-- Commands that were asked for in a terminal's socket are written down, too: the session they were asked for in.
ALTER TABLE commands ADD COLUMN session_id TEXT;
