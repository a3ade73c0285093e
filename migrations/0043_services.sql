-- What runners have told of their services, so that lists need not ask them. Values of credentials are not in it.

CREATE TABLE runners (
  machine_id TEXT PRIMARY KEY REFERENCES machines (id) ON DELETE CASCADE,
  -- How many services there are besides those that are told of.
  left_out INTEGER NOT NULL,
  -- When it last told.
  told_at TEXT NOT NULL
) STRICT;

CREATE TABLE services (
  machine_id TEXT NOT NULL REFERENCES runners (machine_id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  -- Whether it has a deploy.sh. What has none was deployed, and is no service any more.
  deployable INTEGER NOT NULL CHECK (deployable IN (0, 1)),
  deployed INTEGER NOT NULL CHECK (deployed IN (0, 1)),
  -- JSON: all that was told of it.
  body TEXT NOT NULL,
  PRIMARY KEY (machine_id, name)
) STRICT, WITHOUT ROWID;

-- An organization's by name, and which of those with one name is the first.
CREATE INDEX services_by_name ON services (organization_id, name, deployable, machine_id);

-- A machine that is revoked runs nothing any more, and keeps no name from others.
CREATE TRIGGER revoked_machines_are_no_runners AFTER UPDATE OF status ON machines WHEN NEW.status = 'revoked'
BEGIN
  DELETE FROM runners WHERE machine_id = NEW.id;
END;
