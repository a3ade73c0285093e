-- Machines. What the agent reports (from `status` to `uptime_seconds` and `last_active`) is written by the relay.

CREATE TABLE machines (
  id TEXT PRIMARY KEY,
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  owner_id TEXT NOT NULL REFERENCES users (id),
  -- The public name in paths and the issuer of the agent's tokens; both look a machine up by it.
  agent_id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  description TEXT NOT NULL DEFAULT '',
  hostname TEXT NOT NULL DEFAULT '',
  os TEXT NOT NULL DEFAULT '',
  ip_address TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'online', 'offline', 'revoked')),
  is_connected INTEGER NOT NULL DEFAULT 0,
  linux_user TEXT NOT NULL DEFAULT '',
  allow_sudo INTEGER NOT NULL DEFAULT 0,
  deploy_application INTEGER NOT NULL DEFAULT 0,
  custom_script TEXT NOT NULL DEFAULT '',
  -- JSON: an array of texts, and an object of texts.
  tags TEXT NOT NULL DEFAULT '[]',
  metadata TEXT NOT NULL DEFAULT '{}',
  agent_version TEXT NOT NULL DEFAULT '',
  -- Ed25519, 32 bytes in base64url. Without one, no agent connects.
  agent_public_key TEXT,
  -- A hash of the operating system's machine id.
  host_id TEXT,
  -- Set while a registration token waits: its SHA-256 to find the machine, and sealed, to show it to its owner.
  registration_token_hash TEXT,
  registration_token_sealed TEXT,
  cpu_percent REAL NOT NULL DEFAULT 0,
  memory_percent REAL NOT NULL DEFAULT 0,
  disk_percent REAL NOT NULL DEFAULT 0,
  -- MB/s.
  network_inbound REAL NOT NULL DEFAULT 0,
  network_outbound REAL NOT NULL DEFAULT 0,
  uptime_seconds INTEGER NOT NULL DEFAULT 0,
  last_active TEXT,
  created_at TEXT NOT NULL,
  revoked_at TEXT
) STRICT;

-- The list of an organization's machines, already in order.
CREATE INDEX machines_by_organization ON machines (organization_id, name, id);

-- One owner's machines have different names; also the search for a free name at enrolment.
CREATE UNIQUE INDEX machines_owner_name ON machines (owner_id, name);

-- One host enrolled twice with one account is one machine.
CREATE UNIQUE INDEX machines_owner_host ON machines (owner_id, host_id) WHERE host_id IS NOT NULL;

-- Enrolment by registration token.
CREATE UNIQUE INDEX machines_registration_token ON machines (registration_token_hash)
  WHERE registration_token_hash IS NOT NULL;
