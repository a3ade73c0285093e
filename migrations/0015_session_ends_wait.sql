-- The database cannot make the code that an entry carries. So the end of a session waits here until the Worker writes the
-- entry, before anybody reads the log and within about a minute.
CREATE TABLE session_ends (
  id INTEGER PRIMARY KEY,
  organization_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  username TEXT NOT NULL,
  machine_id TEXT NOT NULL,
  ip_address TEXT NOT NULL,
  user_agent TEXT NOT NULL,
  source TEXT NOT NULL,
  -- JSON: an object.
  details TEXT NOT NULL,
  ended_at TEXT NOT NULL
) STRICT;

CREATE INDEX session_ends_by_organization ON session_ends (organization_id, id);

DROP TRIGGER terminal_sessions_end;

CREATE TRIGGER terminal_sessions_end AFTER UPDATE OF status ON terminal_sessions
WHEN OLD.status = 'active' AND NEW.status = 'closed'
BEGIN
  INSERT INTO session_ends (organization_id, user_id, username, machine_id, ip_address, user_agent, source, details, ended_at)
  SELECT NEW.organization_id, NEW.user_id, NEW.username, NEW.machine_id, NEW.ip_address, NEW.user_agent, NEW.source,
    json_object('machine', m.name, 'agent_id', m.agent_id, 'session_id', NEW.session_id, 'reason', NEW.close_reason,
      'seconds', CAST(round((julianday(NEW.ended_at) - julianday(NEW.started_at)) * 86400) AS INTEGER)),
    strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
  FROM machines m WHERE m.id = NEW.machine_id;
END;
