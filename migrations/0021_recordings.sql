-- Recordings of terminal sessions. What a session wrote is in the bucket, in parts below `recordings/<id>/`; here is what lists
-- show of it. Written by the relay when a recording begins and when all of it is stored.
--
-- A recording outlives its machine, its account and its session's row, until it expires: it refers to none of them.
CREATE TABLE recordings (
  id TEXT PRIMARY KEY,
  organization_id TEXT NOT NULL,
  machine_id TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  machine_name TEXT NOT NULL,
  session_id TEXT NOT NULL,
  -- The number of its terminal's output on its machine.
  stream INTEGER NOT NULL,
  user_id TEXT NOT NULL,
  username TEXT NOT NULL,
  -- `interrupted`: the agent was restarted, or the machine deleted, before all was read.
  state TEXT NOT NULL DEFAULT 'recording' CHECK (state IN ('recording', 'complete', 'truncated', 'interrupted')),
  started_at TEXT NOT NULL,
  ended_at TEXT,
  -- When it is removed; NULL is never, and while it runs.
  expires_at TEXT,
  duration_ms INTEGER NOT NULL DEFAULT 0,
  -- What the terminal wrote, and what that takes in the bucket.
  output_bytes INTEGER NOT NULL DEFAULT 0,
  size_bytes INTEGER NOT NULL DEFAULT 0,
  -- The terminal's size when it began.
  cols INTEGER NOT NULL,
  rows INTEGER NOT NULL,
  -- How the shell exited, if it did.
  exit_code INTEGER
) STRICT;

-- The lists: a machine's and an organization's, newest first, and the one that has a terminal's output.
CREATE INDEX recordings_by_machine ON recordings (machine_id, started_at);
CREATE INDEX recordings_by_organization ON recordings (organization_id, started_at);
CREATE INDEX recordings_by_stream ON recordings (machine_id, session_id, stream, started_at);
CREATE INDEX recordings_to_expire ON recordings (expires_at) WHERE expires_at IS NOT NULL;

-- Whether an organization's sessions are recorded, and for how many days a recording is kept; 0 is for ever.
ALTER TABLE organizations ADD COLUMN record_sessions INTEGER NOT NULL DEFAULT 1 CHECK (record_sessions IN (0, 1));
ALTER TABLE organizations ADD COLUMN recording_days INTEGER NOT NULL DEFAULT 90 CHECK (recording_days BETWEEN 0 AND 3650);

-- What is kept already follows the setting.
CREATE TRIGGER organizations_recording_days AFTER UPDATE OF recording_days ON organizations
WHEN OLD.recording_days <> NEW.recording_days
BEGIN
  UPDATE recordings SET expires_at = CASE WHEN NEW.recording_days > 0
    THEN strftime('%Y-%m-%dT%H:%M:%fZ', ended_at, '+' || NEW.recording_days || ' days') END
  WHERE organization_id = NEW.id AND ended_at IS NOT NULL;
END;

-- With an organization go its recordings.
CREATE TRIGGER organizations_recordings_end AFTER DELETE ON organizations
BEGIN
  UPDATE recordings SET expires_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
    ended_at = COALESCE(ended_at, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
  WHERE organization_id = OLD.id;
END;

-- A machine that is deleted takes what its relay had to say with it.
CREATE TRIGGER machines_recordings_end AFTER DELETE ON machines
BEGIN
  UPDATE recordings SET state = 'interrupted', ended_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
    expires_at = (SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+' || o.recording_days || ' days')
      FROM organizations o WHERE o.id = OLD.organization_id AND o.recording_days > 0)
  WHERE machine_id = OLD.id AND state = 'recording';
END;
