-- What is done with things of the inventory, and where they come from by themselves.

-- In which directory of a service a job runs, where it is called otherwise, and whether it is a deployment, whatever its action is called: a
-- service has one at a time.
ALTER TABLE jobs ADD COLUMN directory TEXT;
ALTER TABLE jobs ADD COLUMN deploys INTEGER NOT NULL DEFAULT 0 CHECK (deploys IN (0, 1));
UPDATE jobs SET directory = service, deploys = (action = 'deploy') WHERE machine_id IS NOT NULL AND status = 'running';

-- A job stays when the thing or the type goes that it was about.
CREATE INDEX jobs_of_type ON jobs (organization_id, type_slug, started_at DESC, id) WHERE type_slug IS NOT NULL;
CREATE TRIGGER jobs_of_removed_objects AFTER DELETE ON inventory_objects
BEGIN
  UPDATE jobs SET object_id = NULL WHERE organization_id = OLD.organization_id AND object_id = OLD.id;
END;
CREATE TRIGGER jobs_of_removed_types AFTER DELETE ON inventory_types
BEGIN
  UPDATE jobs SET type_slug = NULL WHERE organization_id = OLD.organization_id AND type_slug = OLD.slug;
END;

-- From where a thing came by itself; nothing of what somebody has made. With what it came from it goes, too.
ALTER TABLE inventory_objects ADD COLUMN source TEXT;
CREATE INDEX inventory_objects_by_source ON inventory_objects (type_id, source, id) WHERE source IS NOT NULL;

-- Where things come from that has changed since they were looked at. Whoever looks removes the row, if it is the one that was there before.
CREATE TABLE inventory_stale (
  organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  source TEXT NOT NULL,
  changes INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (organization_id, source)
) STRICT, WITHOUT ROWID;

-- The organization is looked up, as it may be going with all that it has.
CREATE TRIGGER inventory_of_listed_instances AFTER UPDATE OF listed_at ON clouds
BEGIN
  INSERT INTO inventory_stale (organization_id, source) SELECT o.id, 'vultr_inventory' FROM organizations o WHERE o.id = NEW.organization_id
    ON CONFLICT DO UPDATE SET changes = changes + 1;
END;
CREATE TRIGGER inventory_of_halted_instances AFTER UPDATE OF power_status ON instances
BEGIN
  INSERT INTO inventory_stale (organization_id, source) SELECT o.id, 'vultr_inventory' FROM organizations o WHERE o.id = NEW.organization_id
    ON CONFLICT DO UPDATE SET changes = changes + 1;
END;
CREATE TRIGGER inventory_of_destroyed_instances AFTER DELETE ON instances
BEGIN
  INSERT INTO inventory_stale (organization_id, source) SELECT o.id, 'vultr_inventory' FROM organizations o WHERE o.id = OLD.organization_id
    ON CONFLICT DO UPDATE SET changes = changes + 1;
END;

CREATE TRIGGER inventory_of_new_services AFTER INSERT ON services
BEGIN
  INSERT INTO inventory_stale (organization_id, source) SELECT o.id, 'service_discovery' FROM organizations o WHERE o.id = NEW.organization_id
    ON CONFLICT DO UPDATE SET changes = changes + 1;
END;
CREATE TRIGGER inventory_of_changed_services AFTER UPDATE OF deployable ON services WHEN NEW.deployable <> OLD.deployable
BEGIN
  INSERT INTO inventory_stale (organization_id, source) SELECT o.id, 'service_discovery' FROM organizations o WHERE o.id = NEW.organization_id
    ON CONFLICT DO UPDATE SET changes = changes + 1;
END;
CREATE TRIGGER inventory_of_removed_services AFTER DELETE ON services
BEGIN
  INSERT INTO inventory_stale (organization_id, source) SELECT o.id, 'service_discovery' FROM organizations o WHERE o.id = OLD.organization_id
    ON CONFLICT DO UPDATE SET changes = changes + 1;
END;

CREATE TRIGGER inventory_of_new_users AFTER INSERT ON users
BEGIN
  INSERT INTO inventory_stale (organization_id, source) SELECT o.id, 'user_sync' FROM organizations o WHERE o.id = NEW.organization_id
    ON CONFLICT DO UPDATE SET changes = changes + 1;
END;
CREATE TRIGGER inventory_of_changed_users AFTER UPDATE OF username, email, first_name, last_name, display_name, role, ssh_public_key, pending,
  disabled_at, deleted_at, last_login_at ON users
BEGIN
  INSERT INTO inventory_stale (organization_id, source) SELECT o.id, 'user_sync' FROM organizations o WHERE o.id = NEW.organization_id
    ON CONFLICT DO UPDATE SET changes = changes + 1;
END;
CREATE TRIGGER inventory_of_removed_users AFTER DELETE ON users
BEGIN
  INSERT INTO inventory_stale (organization_id, source) SELECT o.id, 'user_sync' FROM organizations o WHERE o.id = OLD.organization_id
    ON CONFLICT DO UPDATE SET changes = changes + 1;
END;
CREATE TRIGGER inventory_of_given_roles AFTER INSERT ON user_roles
BEGIN
  INSERT INTO inventory_stale (organization_id, source) SELECT u.organization_id, 'user_sync' FROM users u WHERE u.id = NEW.user_id
    ON CONFLICT DO UPDATE SET changes = changes + 1;
END;
CREATE TRIGGER inventory_of_taken_roles AFTER DELETE ON user_roles
BEGIN
  INSERT INTO inventory_stale (organization_id, source)
    SELECT o.id, 'user_sync' FROM users u JOIN organizations o ON o.id = u.organization_id WHERE u.id = OLD.user_id
    ON CONFLICT DO UPDATE SET changes = changes + 1;
END;
CREATE TRIGGER inventory_of_renamed_roles AFTER UPDATE OF name ON roles WHEN NEW.name <> OLD.name
BEGIN
  INSERT INTO inventory_stale (organization_id, source) SELECT o.id, 'user_sync' FROM organizations o WHERE o.id = NEW.organization_id
    ON CONFLICT DO UPDATE SET changes = changes + 1;
END;

-- Deployments that called themselves something, in the order in which they are looked at.
CREATE INDEX jobs_that_deployed ON jobs (organization_id, id)
  WHERE action = 'deploy' AND deployment_id IS NOT NULL AND status IN ('completed', 'failed');
CREATE TRIGGER inventory_of_deployments AFTER UPDATE OF status ON jobs
  WHEN NEW.action = 'deploy' AND NEW.deployment_id IS NOT NULL AND NEW.status <> 'running'
BEGIN
  INSERT INTO inventory_stale (organization_id, source)
    SELECT o.id, 'deployment_sync' FROM organizations o WHERE o.id = NEW.organization_id
    ON CONFLICT DO UPDATE SET changes = changes + 1;
END;

-- What was there before there was an inventory is looked at once.
INSERT INTO inventory_stale (organization_id, source)
  SELECT o.id, s.value FROM organizations o, json_each('["vultr_inventory","service_discovery","user_sync","deployment_sync"]') s;
