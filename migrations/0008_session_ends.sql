-- However a session ends, by its shell, by its machine, by somebody or by the loss of a right, the log says so once, with how
-- long it was and why. Whoever ends it writes no more than the end. (Deleting a machine removes its sessions, and is an entry
-- of its own.)
CREATE TRIGGER terminal_sessions_end AFTER UPDATE OF status ON terminal_sessions
WHEN OLD.status = 'active' AND NEW.status = 'closed'
BEGIN
  INSERT INTO audit_log (id, organization_id, user_id, username, action, resource, resource_id, status, response_status, method,
    endpoint, ip_address, user_agent, source, details, created_at)
  SELECT lower(hex(randomblob(12))), NEW.organization_id, NEW.user_id, NEW.username, 'session_ended', 'terminal', NEW.machine_id,
    'success', 0, '', '', NEW.ip_address, NEW.user_agent, NEW.source,
    json_object('machine', m.name, 'agent_id', m.agent_id, 'session_id', NEW.session_id, 'reason', NEW.close_reason,
      'seconds', CAST(round((julianday(NEW.ended_at) - julianday(NEW.started_at)) * 86400) AS INTEGER)),
    strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
  FROM machines m WHERE m.id = NEW.machine_id;
END;
