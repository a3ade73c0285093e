-- Who may do what: roles made of permissions, groups of people and machines, and machines lent to single people.

CREATE TABLE roles (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  name TEXT NOT NULL COLLATE NOCASE,
  description TEXT NOT NULL DEFAULT '',
  created_at TEXT NOT NULL,
  -- The role that stands for being an administrator of the organization: `users.role` says who has it.
  is_system INTEGER NOT NULL DEFAULT 0,
  UNIQUE (organization_id, name)
) STRICT;

INSERT INTO roles (organization_id, name, description, created_at, is_system)
  SELECT id, 'super-admin', 'Full system access', created_at, 1 FROM organizations;

CREATE TABLE role_permissions (
  role_id INTEGER NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
  -- A codename of src/auth/permission.rs.
  permission TEXT NOT NULL,
  PRIMARY KEY (role_id, permission)
) STRICT, WITHOUT ROWID;

CREATE TABLE user_roles (
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  role_id INTEGER NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
  PRIMARY KEY (user_id, role_id)
) STRICT, WITHOUT ROWID;
-- How many people have a role.
CREATE INDEX user_roles_by_role ON user_roles (role_id);

CREATE TABLE groups (
  id TEXT PRIMARY KEY,
  organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  name TEXT NOT NULL COLLATE NOCASE,
  description TEXT NOT NULL DEFAULT '',
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  UNIQUE (organization_id, name)
) STRICT;

CREATE TABLE group_members (
  group_id TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  added_at TEXT NOT NULL,
  PRIMARY KEY (group_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_members_by_user ON group_members (user_id, group_id);

CREATE TABLE group_machines (
  group_id TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
  machine_id TEXT NOT NULL REFERENCES machines (id) ON DELETE CASCADE,
  added_at TEXT NOT NULL,
  PRIMARY KEY (group_id, machine_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_machines_by_machine ON group_machines (machine_id, group_id);

-- A machine lent to one person.
CREATE TABLE machine_grants (
  machine_id TEXT NOT NULL REFERENCES machines (id) ON DELETE CASCADE,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- Empty: the person's own machine role counts.
  machine_role TEXT NOT NULL DEFAULT '' CHECK (machine_role IN ('', 'allow_sudo', 'non_sudo')),
  granted_by TEXT NOT NULL,
  granted_at TEXT NOT NULL,
  expires_at TEXT,
  PRIMARY KEY (machine_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX machine_grants_by_user ON machine_grants (user_id, machine_id);
-- Grants that end by themselves.
CREATE INDEX machine_grants_by_expiry ON machine_grants (expires_at) WHERE expires_at IS NOT NULL;

-- Removing an organization removes its people and their sessions.
CREATE INDEX terminal_sessions_by_user ON terminal_sessions (user_id);
-- How many sessions an organization had since a time.
CREATE INDEX terminal_sessions_by_organization ON terminal_sessions (organization_id, started_at);
