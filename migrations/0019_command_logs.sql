-- What was run on machines: typed at a prompt, or sent. What a machine was called, and who ran it, are written down as they were:
-- rows outlive machines, accounts and sessions until their organization's time is over. The output of a command is not here; it is
-- a range of its terminal's stream.

CREATE TABLE command_logs (
  -- The order in which rows came in, and the order of every list and of the index for searching.
  key INTEGER PRIMARY KEY AUTOINCREMENT,
  -- Of the agent's choice, so that a row that comes twice is one.
  id TEXT NOT NULL,
  organization_id TEXT NOT NULL,
  machine_id TEXT NOT NULL,
  machine_name TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  -- None where the session is not known any more.
  user_id TEXT,
  username TEXT NOT NULL,
  session_id TEXT NOT NULL,
  source TEXT NOT NULL,
  browser TEXT NOT NULL,
  os_info TEXT NOT NULL,
  ip_address TEXT NOT NULL,
  command TEXT NOT NULL,
  -- What is known of the command's text.
  text TEXT NOT NULL CHECK (text IN ('whole', 'cut', 'not_kept', 'hidden', 'missing')),
  cwd TEXT NOT NULL,
  outcome TEXT NOT NULL CHECK (outcome IN ('exited', 'stopped', 'unknown')),
  exit_code INTEGER,
  started_at TEXT NOT NULL,
  duration_ms INTEGER,
  -- Of a command that was sent.
  command_id TEXT,
  -- Where its output is, if it was typed in a terminal.
  stream INTEGER,
  output_from INTEGER,
  output_to INTEGER,
  -- How many rows this stands for that were lost on the machine.
  missing INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE UNIQUE INDEX command_logs_once ON command_logs (machine_id, id);

-- The newest of a machine, of an organization, of one person, of those that ended in one way, of a terminal.
CREATE INDEX command_logs_by_machine ON command_logs (machine_id, key);
CREATE INDEX command_logs_by_organization ON command_logs (organization_id, key);
CREATE INDEX command_logs_by_user ON command_logs (organization_id, user_id, key);
CREATE INDEX command_logs_by_exit_code ON command_logs (organization_id, exit_code, key);
CREATE INDEX command_logs_by_session ON command_logs (machine_id, session_id, key);

-- The oldest of an organization, to be removed.
CREATE INDEX command_logs_by_age ON command_logs (organization_id, started_at);

-- Every three characters that follow each other. A table with this index is written with ON CONFLICT only: INSERT OR REPLACE fires no
-- trigger for the row that it removes, and leaves it in the index.
CREATE VIRTUAL TABLE command_search USING fts5 (
  command, content = 'command_logs', content_rowid = 'key', tokenize = 'trigram'
);

CREATE TRIGGER command_logs_added AFTER INSERT ON command_logs
BEGIN
  INSERT INTO command_search (rowid, command) VALUES (NEW.key, NEW.command);
END;

CREATE TRIGGER command_logs_removed AFTER DELETE ON command_logs
BEGIN
  INSERT INTO command_search (command_search, rowid, command) VALUES ('delete', OLD.key, OLD.command);
END;

-- Nothing changes the text of a row, so nothing changes the index.
CREATE TRIGGER command_logs_stay AFTER UPDATE OF key, command ON command_logs
BEGIN
  SELECT RAISE(ABORT, 'a command is never changed');
END;

-- For how many days rows are kept.
ALTER TABLE organizations ADD COLUMN command_log_days INTEGER NOT NULL DEFAULT 90;

-- JSON: texts that are masked in commands before they are stored.
ALTER TABLE organizations ADD COLUMN command_masks TEXT NOT NULL DEFAULT '[]';
