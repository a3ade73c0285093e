-- From which networks an organization's people may come, as JSON: an array of texts such as "203.0.113.0/24". Empty is from all.
ALTER TABLE organizations ADD COLUMN allowed_networks TEXT NOT NULL DEFAULT '[]';

-- Whether its agents have to come from there, too.
ALTER TABLE organizations ADD COLUMN networks_for_agents INTEGER NOT NULL DEFAULT 0 CHECK (networks_for_agents IN (0, 1));

-- A machine whose agent was asked to make itself a new key: a digest of what it proves that with, and until when.
ALTER TABLE machines ADD COLUMN rotation_digest TEXT;
ALTER TABLE machines ADD COLUMN rotation_until TEXT;

-- How the product is called here and what it looks like: one row, once somebody has said anything. JSON, as it is answered.
CREATE TABLE branding (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  body TEXT NOT NULL
) STRICT;
