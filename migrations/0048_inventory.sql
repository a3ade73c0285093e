-- The inventory: types of things, things of these types, tags on them, and rules about single ones. What may be done with things of a type
-- are permissions that are made with the type.

-- The types that come with the product, as inventory-types/ has them. A release that changes one updates its row here, and with it that of
-- every organization.
CREATE TABLE inventory_builtin_types (
  slug TEXT PRIMARY KEY,
  definition TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE inventory_types (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  slug TEXT NOT NULL,
  -- JSON: label, icon, description, fields, actions and sync.
  definition TEXT NOT NULL,
  is_builtin INTEGER NOT NULL DEFAULT 0 CHECK (is_builtin IN (0, 1)),
  -- How many things there are of it: counting a hundred thousand takes longer than listing a page of them.
  object_count INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  UNIQUE (organization_id, slug)
) STRICT;

-- The permissions that are made with types. Their published numbers lie above those of the fixed ones (src/features/roles).
CREATE TABLE inventory_permissions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  type_id INTEGER NOT NULL REFERENCES inventory_types (id) ON DELETE CASCADE,
  codename TEXT NOT NULL,
  -- What it lets people do with things of the type.
  suffix TEXT NOT NULL,
  label TEXT NOT NULL,
  UNIQUE (organization_id, codename),
  UNIQUE (type_id, suffix)
) STRICT;

-- Which permissions a type has.
CREATE VIEW inventory_rights (type_id, organization_id, codename, suffix, label) AS
  SELECT t.id, t.organization_id, 'inventory.' || t.slug || '.' || b.value, b.value,
    upper(substr(b.value, 1, 1)) || substr(b.value, 2) || ' ' || (t.definition ->> 'label') || 's'
  FROM inventory_types t, json_each('["view","create","edit","delete"]') b
  UNION ALL
  SELECT t.id, t.organization_id, 'inventory.' || t.slug || '.reveal', 'reveal', 'Reveal Secrets (' || (t.definition ->> 'label') || ')'
  FROM inventory_types t WHERE EXISTS (SELECT 1 FROM json_each(t.definition, '$.fields') f WHERE f.value ->> 'type' = 'secret')
  UNION ALL
  SELECT t.id, t.organization_id, 'inventory.' || t.slug || '.' || (a.value ->> 'name'), a.value ->> 'name',
    (a.value ->> 'label') || ' (' || (t.definition ->> 'label') || ')'
  FROM inventory_types t, json_each(t.definition, '$.actions') a;

CREATE TRIGGER inventory_types_added AFTER INSERT ON inventory_types
BEGIN
  INSERT INTO inventory_permissions (organization_id, type_id, codename, suffix, label)
    SELECT organization_id, type_id, codename, suffix, label FROM inventory_rights WHERE type_id = NEW.id;
END;

-- What is not there any more, no role allows any more, even if it comes back.
CREATE TRIGGER inventory_permissions_removed AFTER DELETE ON inventory_permissions
BEGIN
  DELETE FROM role_permissions WHERE permission = OLD.codename
    AND role_id IN (SELECT r.id FROM roles r WHERE r.organization_id = OLD.organization_id);
END;

CREATE TABLE inventory_objects (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  type_id INTEGER NOT NULL REFERENCES inventory_types (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  -- JSON: what it is, by field. In place of a secret that is set there is a mask.
  data TEXT NOT NULL,
  -- JSON: secrets, by field, sealed.
  secrets TEXT NOT NULL DEFAULT '{}',
  -- What is looked at when things are searched, in small letters.
  search TEXT NOT NULL,
  created_by TEXT REFERENCES users (id) ON DELETE SET NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
) STRICT;

-- Those of a type in the order of their numbers, and searching them without reading more of them.
CREATE INDEX inventory_objects_by_type ON inventory_objects (type_id, id, search);
-- What foreign keys look for.
CREATE INDEX inventory_objects_by_organization ON inventory_objects (organization_id);
CREATE INDEX inventory_objects_by_creator ON inventory_objects (created_by) WHERE created_by IS NOT NULL;

-- Values by which things are found and sorted; '' of what has none.
CREATE TABLE inventory_values (
  type_id INTEGER NOT NULL,
  field TEXT NOT NULL,
  value ANY NOT NULL,
  object_id INTEGER NOT NULL REFERENCES inventory_objects (id) ON DELETE CASCADE,
  PRIMARY KEY (type_id, field, value, object_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX inventory_values_by_object ON inventory_values (object_id, field);

-- What these are.
CREATE VIEW inventory_indexed (type_id, field, value, object_id) AS
  SELECT o.type_id, f.value ->> 'name', COALESCE(json_extract(o.data, '$."' || (f.value ->> 'name') || '"'), ''), o.id
  FROM inventory_objects o JOIN inventory_types t ON t.id = o.type_id, json_each(t.definition, '$.fields') f
  WHERE f.value ->> 'type' IN ('string', 'enum', 'integer', 'boolean', 'datetime');

CREATE TRIGGER inventory_objects_added AFTER INSERT ON inventory_objects
BEGIN
  UPDATE inventory_types SET object_count = object_count + 1 WHERE id = NEW.type_id;
  INSERT INTO inventory_values SELECT type_id, field, value, object_id FROM inventory_indexed WHERE object_id = NEW.id;
END;

CREATE TRIGGER inventory_objects_changed AFTER UPDATE OF data ON inventory_objects WHEN NEW.data <> OLD.data
BEGIN
  DELETE FROM inventory_values WHERE object_id = NEW.id;
  INSERT INTO inventory_values SELECT type_id, field, value, object_id FROM inventory_indexed WHERE object_id = NEW.id;
END;

CREATE TRIGGER inventory_objects_removed AFTER DELETE ON inventory_objects
BEGIN
  UPDATE inventory_types SET object_count = object_count - 1 WHERE id = OLD.type_id;
END;

CREATE TRIGGER inventory_types_changed AFTER UPDATE OF definition ON inventory_types WHEN NEW.definition <> OLD.definition
BEGIN
  DELETE FROM inventory_permissions WHERE type_id = NEW.id
    AND suffix NOT IN (SELECT r.suffix FROM inventory_rights r WHERE r.type_id = NEW.id);
  INSERT INTO inventory_permissions (organization_id, type_id, codename, suffix, label)
    SELECT organization_id, type_id, codename, suffix, label FROM inventory_rights WHERE type_id = NEW.id
    ON CONFLICT (type_id, suffix) DO UPDATE SET label = excluded.label;
  DELETE FROM inventory_values WHERE type_id = NEW.id AND json_extract(NEW.definition, '$.fields') <> json_extract(OLD.definition, '$.fields');
  INSERT INTO inventory_values SELECT type_id, field, value, object_id FROM inventory_indexed
    WHERE type_id = NEW.id AND json_extract(NEW.definition, '$.fields') <> json_extract(OLD.definition, '$.fields');
END;

CREATE TABLE inventory_tags (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  color TEXT,
  created_at TEXT NOT NULL,
  UNIQUE (organization_id, name)
) STRICT;

CREATE TABLE inventory_object_tags (
  tag_id INTEGER NOT NULL REFERENCES inventory_tags (id) ON DELETE CASCADE,
  object_id INTEGER NOT NULL REFERENCES inventory_objects (id) ON DELETE CASCADE,
  PRIMARY KEY (tag_id, object_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX inventory_tags_of_object ON inventory_object_tags (object_id, tag_id);

-- What a role may do with whatever has a tag.
CREATE TABLE inventory_tag_permissions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  tag_id INTEGER NOT NULL REFERENCES inventory_tags (id) ON DELETE CASCADE,
  role_id INTEGER NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
  permission TEXT NOT NULL,
  UNIQUE (tag_id, permission, role_id)
) STRICT;
CREATE INDEX inventory_tag_permissions_by_role ON inventory_tag_permissions (role_id, permission, tag_id);

-- What a role may do, or not, with one thing.
CREATE TABLE inventory_acl (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  object_id INTEGER NOT NULL REFERENCES inventory_objects (id) ON DELETE CASCADE,
  role_id INTEGER NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
  permission TEXT NOT NULL,
  effect TEXT NOT NULL CHECK (effect IN ('allow', 'deny'))
) STRICT;
CREATE INDEX inventory_acl_by_object ON inventory_acl (object_id, permission, effect, role_id);
CREATE INDEX inventory_acl_by_role ON inventory_acl (role_id, permission, effect, object_id);

-- Every organization has the types that come with the product from its first moment on.
CREATE TRIGGER inventory_of_organizations AFTER INSERT ON organizations
BEGIN
  INSERT INTO inventory_types (organization_id, slug, definition, is_builtin, created_at, updated_at)
    SELECT NEW.id, b.slug, b.definition, 1, NEW.created_at, NEW.created_at FROM inventory_builtin_types b ORDER BY b.slug;
END;

CREATE TRIGGER inventory_builtin_types_changed AFTER UPDATE OF definition ON inventory_builtin_types
BEGIN
  UPDATE inventory_types SET definition = NEW.definition, updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
    WHERE slug = NEW.slug AND is_builtin = 1;
END;

INSERT INTO inventory_builtin_types (slug, definition) VALUES
  ('credential', '{"label":"Credential","icon":"key","description":"Passwords, keys and tokens.","fields":[{"name":"name","type":"string","label":"Name","required":true,"unique":false,"searchable":true,"readonly":false},{"name":"credential_type","type":"string","label":"Kind","required":false,"unique":false,"searchable":false,"readonly":false,"default":"password"},{"name":"username","type":"string","label":"Username","required":false,"unique":false,"searchable":true,"readonly":false},{"name":"value","type":"secret","label":"Value","required":false,"unique":false,"searchable":false,"readonly":false},{"name":"notes","type":"text","label":"Notes","required":false,"unique":false,"searchable":false,"readonly":false}],"actions":[],"sync":null}'),
  ('deployment', '{"label":"Deployment","icon":"rocket","description":"What was deployed, by which job.","fields":[{"name":"service_name","type":"string","label":"Service","required":false,"unique":false,"searchable":true,"readonly":true},{"name":"deployment_id","type":"string","label":"Deployment","required":false,"unique":false,"searchable":true,"readonly":true},{"name":"hostname","type":"string","label":"Host name","required":false,"unique":false,"searchable":true,"readonly":true},{"name":"ip_address","type":"string","label":"Address","required":false,"unique":false,"searchable":true,"readonly":true},{"name":"status","type":"enum","label":"Status","required":false,"unique":false,"searchable":false,"readonly":true,"options":["completed","failed"]},{"name":"deployed_by","type":"string","label":"Deployed by","required":false,"unique":false,"searchable":true,"readonly":true},{"name":"job_id","type":"string","label":"Job","required":true,"unique":true,"searchable":true,"readonly":true},{"name":"started_at","type":"datetime","label":"Started","required":false,"unique":false,"searchable":false,"readonly":true},{"name":"finished_at","type":"datetime","label":"Finished","required":false,"unique":false,"searchable":false,"readonly":true},{"name":"notes","type":"text","label":"Notes","required":false,"unique":false,"searchable":false,"readonly":false}],"actions":[],"sync":{"source":"deployment_sync"}}'),
  ('server', '{"label":"Server","icon":"server","description":"Hosts, at the provider or elsewhere.","fields":[{"name":"hostname","type":"string","label":"Host name","required":true,"unique":true,"searchable":true,"readonly":false},{"name":"ip_address","type":"string","label":"Address","required":false,"unique":false,"searchable":true,"readonly":false},{"name":"region","type":"string","label":"Region","required":false,"unique":false,"searchable":false,"readonly":false},{"name":"plan","type":"string","label":"Plan","required":false,"unique":false,"searchable":false,"readonly":false},{"name":"os","type":"string","label":"Operating system","required":false,"unique":false,"searchable":false,"readonly":false},{"name":"power_status","type":"enum","label":"Power","required":false,"unique":false,"searchable":false,"readonly":true,"options":["running","stopped","suspended","unknown"]},{"name":"vultr_id","type":"string","label":"Vultr id","required":false,"unique":false,"searchable":false,"readonly":true},{"name":"vultr_label","type":"string","label":"Vultr label","required":false,"unique":false,"searchable":false,"readonly":true},{"name":"vultr_tags","type":"json","label":"Vultr tags","required":false,"unique":false,"searchable":false,"readonly":true},{"name":"notes","type":"text","label":"Notes","required":false,"unique":false,"searchable":false,"readonly":false}],"actions":[{"name":"ssh","label":"SSH","type":"ssh","scope":"object","icon":"terminal","destructive":false},{"name":"refresh","label":"Refresh","type":"builtin","scope":"type","icon":"refresh","destructive":false},{"name":"stop","label":"Stop","type":"builtin","scope":"object","icon":"power","confirm":"The server is halted. It can be started again at the provider.","destructive":false},{"name":"destroy","label":"Destroy","type":"builtin","scope":"object","icon":"trash","confirm":"The server and all that is on it are destroyed at the provider. Nothing brings them back.","destructive":true}],"sync":{"source":"vultr_inventory"}}'),
  ('service', '{"label":"Service","icon":"package","description":"Services that can be deployed.","fields":[{"name":"name","type":"string","label":"Name","required":true,"unique":true,"searchable":true,"readonly":true},{"name":"service_dir","type":"string","label":"Directory","required":false,"unique":false,"searchable":false,"readonly":true},{"name":"status","type":"enum","label":"Status","required":false,"unique":false,"searchable":false,"readonly":true,"options":["available","missing"]},{"name":"notes","type":"text","label":"Notes","required":false,"unique":false,"searchable":false,"readonly":false}],"actions":[{"name":"deploy","label":"Deploy","type":"script","scope":"object","icon":"rocket","script":"deploy.sh","destructive":false},{"name":"run_script","label":"Run a script","type":"dynamic_scripts","scope":"object","icon":"play","destructive":false},{"name":"stop","label":"Stop","type":"script_stop","scope":"object","icon":"power","confirm":"The instances that have this service''s name for a tag are halted.","destructive":false},{"name":"config","label":"Configs","type":"builtin_config","scope":"object","icon":"settings","destructive":false},{"name":"files","label":"Files","type":"builtin_files","scope":"object","icon":"files","destructive":false}],"sync":{"source":"service_discovery"}}'),
  ('user', '{"label":"User","icon":"user","description":"People of the organization.","fields":[{"name":"username","type":"string","label":"Username","required":true,"unique":true,"searchable":true,"readonly":true},{"name":"display_name","type":"string","label":"Name","required":false,"unique":false,"searchable":true,"readonly":true},{"name":"email","type":"string","label":"Email","required":false,"unique":false,"searchable":true,"readonly":true},{"name":"ssh_public_key","type":"text","label":"SSH public key","required":false,"unique":false,"searchable":false,"readonly":true},{"name":"role","type":"string","label":"Roles","required":false,"unique":false,"searchable":false,"readonly":true},{"name":"status","type":"enum","label":"Status","required":false,"unique":false,"searchable":false,"readonly":true,"options":["active","invited","inactive"]},{"name":"last_login_at","type":"datetime","label":"Last sign-in","required":false,"unique":false,"searchable":false,"readonly":true},{"name":"notes","type":"text","label":"Notes","required":false,"unique":false,"searchable":false,"readonly":false}],"actions":[],"sync":{"source":"user_sync"}}');

INSERT INTO inventory_types (organization_id, slug, definition, is_builtin, created_at, updated_at)
  SELECT o.id, b.slug, b.definition, 1, o.created_at, o.created_at FROM organizations o, inventory_builtin_types b ORDER BY o.created_at, b.slug;
