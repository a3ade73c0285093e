-- A key administers people only if it was made for that: the scope people:admin.
CREATE TABLE api_keys_scoped (
  id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  key_hash TEXT NOT NULL UNIQUE,
  -- The first characters, to tell keys apart.
  key_prefix TEXT NOT NULL,
  scope TEXT NOT NULL DEFAULT 'full' CHECK (scope IN ('full', 'people:admin', 'read')),
  created_at TEXT NOT NULL,
  expires_at TEXT,
  last_used_at TEXT,
  -- An account has as many keys as there are places, also if it makes them all at once.
  place INTEGER NOT NULL DEFAULT 1 CHECK (place BETWEEN 1 AND 5),
  UNIQUE (user_id, place)
) STRICT;

INSERT INTO api_keys_scoped (id, user_id, name, key_hash, key_prefix, scope, created_at, expires_at, last_used_at, place)
  SELECT id, user_id, name, key_hash, key_prefix, scope, created_at, expires_at, last_used_at, place FROM api_keys;

DROP TABLE api_keys;
ALTER TABLE api_keys_scoped RENAME TO api_keys;
