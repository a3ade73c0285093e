-- Organizations own everything; each account belongs to one. Times are RFC 3339 text in UTC, so they sort as they read.

CREATE TABLE organizations (
  id TEXT PRIMARY KEY,
  -- The name in URLs and tokens (`tenant_id`).
  slug TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  created_at TEXT NOT NULL
) STRICT;

CREATE TABLE users (
  -- An alias of the row id: counting up, never reused.
  int_id INTEGER PRIMARY KEY AUTOINCREMENT,
  -- Read by every authenticated request.
  id TEXT NOT NULL UNIQUE,
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  -- Exists once, whatever its case. Also the look-up of a login by username.
  username TEXT NOT NULL UNIQUE COLLATE NOCASE,
  -- Lower case.
  email TEXT NOT NULL,
  -- Made by the community sign-up, where a mail address exists once.
  community INTEGER NOT NULL DEFAULT 0,
  -- Argon2id, as a PHC string.
  password_hash TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('super_admin', 'company_admin', 'user')),
  machine_role TEXT NOT NULL DEFAULT '' CHECK (machine_role IN ('', 'allow_sudo', 'non_sudo')),
  first_name TEXT NOT NULL DEFAULT '',
  last_name TEXT NOT NULL DEFAULT '',
  email_verified INTEGER NOT NULL DEFAULT 0,
  -- The account API key: its SHA-256 to find the account when a machine enrols, and sealed, to show it to its owner again.
  api_key_hash TEXT NOT NULL UNIQUE,
  api_key_sealed TEXT NOT NULL,
  -- Tokens carry it; raising it ends all of them.
  token_version INTEGER NOT NULL DEFAULT 0,
  disabled_at TEXT,
  deleted_at TEXT,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  last_login_at TEXT
) STRICT;

-- Login by mail address. The same one may exist in several organizations; the account used last is first.
CREATE INDEX users_by_email ON users (email, last_login_at);

-- Sign-up: a mail address exists once among community accounts.
CREATE UNIQUE INDEX users_community_email ON users (email) WHERE community = 1;
