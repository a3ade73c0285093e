-- Terminals that a runner opens by SSH to hosts without an agent. They are sessions on the runner's machine like any other, but for whom they
-- are: whoever holds a permission, and need not reach the runner.

-- The host, as inventories name it; nothing for a shell of the machine.
ALTER TABLE terminal_sessions ADD COLUMN ssh_host TEXT;

-- As whom, if somebody asked for another than the inventory names.
ALTER TABLE terminal_sessions ADD COLUMN ssh_user TEXT;

-- The permission by which it was opened, by codename. Who does not hold it any more does not keep it.
ALTER TABLE terminal_sessions ADD COLUMN ssh_right TEXT;

-- Which services know which hosts: from what runners tell of them.
CREATE TABLE service_hosts (
  organization_id TEXT NOT NULL,
  hostname TEXT NOT NULL,
  service TEXT NOT NULL,
  machine_id TEXT NOT NULL,
  PRIMARY KEY (organization_id, hostname, service, machine_id),
  FOREIGN KEY (machine_id, service) REFERENCES services (machine_id, name) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- For what goes with a service.
CREATE INDEX service_hosts_of_service ON service_hosts (machine_id, service);

CREATE TRIGGER new_services_have_hosts AFTER INSERT ON services
BEGIN
  INSERT INTO service_hosts (organization_id, hostname, service, machine_id)
    SELECT DISTINCT NEW.organization_id, h.value, NEW.name, NEW.machine_id FROM json_each(NEW.body, '$.hosts') h WHERE h.type = 'text';
END;

CREATE TRIGGER changed_services_have_hosts AFTER UPDATE OF body ON services
BEGIN
  DELETE FROM service_hosts WHERE machine_id = NEW.machine_id AND service = NEW.name;
  INSERT INTO service_hosts (organization_id, hostname, service, machine_id)
    SELECT DISTINCT NEW.organization_id, h.value, NEW.name, NEW.machine_id FROM json_each(NEW.body, '$.hosts') h WHERE h.type = 'text';
END;
