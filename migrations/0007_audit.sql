-- What happened, for good: entries are added and never changed or removed, also not with their organization. Each is sealed
-- into its organization's chain by a hash over itself and the entry before it (protocol/src/api/audit.rs), soon after it was
-- written: so writing one needs no knowledge of the others, and two writers never wait for each other.

CREATE TABLE audit_log (
  -- The order of the chain.
  int_id INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  -- Empty where nobody's organization is known, such as a sign-in to an account that does not exist.
  organization_id TEXT NOT NULL,
  user_id TEXT,
  username TEXT NOT NULL,
  action TEXT NOT NULL,
  resource TEXT NOT NULL,
  resource_id TEXT,
  status TEXT NOT NULL CHECK (status IN ('success', 'failure')),
  -- The answer's status number; 0 for what was not a request.
  response_status INTEGER NOT NULL,
  method TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  ip_address TEXT NOT NULL,
  user_agent TEXT NOT NULL,
  source TEXT NOT NULL,
  error TEXT,
  -- JSON: an object.
  details TEXT NOT NULL,
  created_at TEXT NOT NULL,
  -- SHA-256 in hex; none until sealed.
  hash TEXT
) STRICT;

-- An organization's newest entries, and the walk along its chain.
CREATE INDEX audit_log_by_organization ON audit_log (organization_id, int_id);
CREATE INDEX audit_log_by_user ON audit_log (organization_id, user_id, int_id);
CREATE INDEX audit_log_by_action ON audit_log (organization_id, action, int_id);
-- What waits to be sealed.
CREATE INDEX audit_log_unsealed ON audit_log (organization_id, int_id) WHERE hash IS NULL;

CREATE TRIGGER audit_log_is_not_deleted BEFORE DELETE ON audit_log
BEGIN
  SELECT RAISE(ABORT, 'audit entries are never removed');
END;

CREATE TRIGGER audit_log_is_not_changed BEFORE UPDATE ON audit_log
WHEN OLD.hash IS NOT NULL OR NEW.hash IS NULL OR NEW.int_id <> OLD.int_id OR NEW.id <> OLD.id
  OR NEW.organization_id <> OLD.organization_id OR NEW.user_id IS NOT OLD.user_id OR NEW.username <> OLD.username
  OR NEW.action <> OLD.action OR NEW.resource <> OLD.resource OR NEW.resource_id IS NOT OLD.resource_id
  OR NEW.status <> OLD.status OR NEW.response_status <> OLD.response_status OR NEW.method <> OLD.method
  OR NEW.endpoint <> OLD.endpoint OR NEW.ip_address <> OLD.ip_address OR NEW.user_agent <> OLD.user_agent
  OR NEW.source <> OLD.source OR NEW.error IS NOT OLD.error OR NEW.details <> OLD.details OR NEW.created_at <> OLD.created_at
BEGIN
  SELECT RAISE(ABORT, 'audit entries are never changed');
END;
