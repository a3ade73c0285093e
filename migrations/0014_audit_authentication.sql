-- Seals alone show that an entry was changed after it was sealed, and not who wrote it: whoever writes to the database could
-- add an entry, or empty the hash of one, and have it sealed like any other. So each entry carries a code that only the Worker
-- can make (src/platform/audit_key.rs), from the moment it is written. Entries of before have none.
ALTER TABLE audit_log ADD COLUMN mac TEXT;

DROP TRIGGER audit_log_is_not_changed;

CREATE TRIGGER audit_log_is_not_changed BEFORE UPDATE ON audit_log
WHEN OLD.hash IS NOT NULL OR NEW.hash IS NULL OR NEW.int_id <> OLD.int_id OR NEW.id <> OLD.id
  OR NEW.organization_id <> OLD.organization_id OR NEW.user_id IS NOT OLD.user_id OR NEW.username <> OLD.username
  OR NEW.action <> OLD.action OR NEW.resource <> OLD.resource OR NEW.resource_id IS NOT OLD.resource_id
  OR NEW.status <> OLD.status OR NEW.response_status <> OLD.response_status OR NEW.method <> OLD.method
  OR NEW.endpoint <> OLD.endpoint OR NEW.ip_address <> OLD.ip_address OR NEW.user_agent <> OLD.user_agent
  OR NEW.source <> OLD.source OR NEW.error IS NOT OLD.error OR NEW.details <> OLD.details OR NEW.created_at <> OLD.created_at
  OR NEW.mac IS NOT OLD.mac
BEGIN
  SELECT RAISE(ABORT, 'audit entries are never changed');
END;

-- The newest seal of each organization's chain, with a code of its own: what lies before it is never sealed again, and that
-- it was removed shows.
CREATE TABLE audit_heads (
  organization_id TEXT PRIMARY KEY,
  int_id INTEGER NOT NULL,
  hash TEXT NOT NULL,
  mac TEXT NOT NULL
) STRICT;
