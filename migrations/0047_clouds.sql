-- Instances at a cloud provider: an organization's key for it, and what the provider said last. Removing the key forgets all of it.

CREATE TABLE clouds (
  organization_id TEXT PRIMARY KEY REFERENCES organizations (id) ON DELETE CASCADE,
  -- The key, sealed. What is below was said to whoever has it.
  key_sealed TEXT NOT NULL,
  key_set_at TEXT NOT NULL,
  key_set_by TEXT NOT NULL,
  -- When the instances were listed last, and how many there are besides those that are kept.
  listed_at TEXT,
  left_out INTEGER NOT NULL DEFAULT 0,
  -- JSON: what the account owes and has, and when that was asked for.
  account TEXT,
  costs_at TEXT
) STRICT;

CREATE TABLE instances (
  organization_id TEXT NOT NULL REFERENCES clouds (organization_id) ON DELETE CASCADE,
  -- The provider's.
  id TEXT NOT NULL,
  -- What it is called in the inventory. No other has that name.
  host TEXT NOT NULL,
  label TEXT NOT NULL,
  region TEXT NOT NULL,
  plan TEXT NOT NULL,
  os TEXT NOT NULL,
  address TEXT NOT NULL,
  power_status TEXT NOT NULL,
  -- JSON: a list of texts, each once.
  tags TEXT NOT NULL,
  PRIMARY KEY (organization_id, id)
) STRICT, WITHOUT ROWID;

-- Whether there is one of a label in a region.
CREATE INDEX instances_by_label ON instances (organization_id, label, region);

-- What the provider's plans cost, in its currency.
CREATE TABLE instance_plans (
  organization_id TEXT NOT NULL REFERENCES clouds (organization_id) ON DELETE CASCADE,
  id TEXT NOT NULL,
  monthly_cost REAL NOT NULL,
  hourly_cost REAL NOT NULL,
  PRIMARY KEY (organization_id, id)
) STRICT, WITHOUT ROWID;
