-- What identity needs beyond a password: organizations with settings, accounts that are invited, verified, protected by a
-- second factor or gone idle, sign-ins that can be revoked, and keys for programs.

ALTER TABLE organizations ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE organizations ADD COLUMN updated_at TEXT NOT NULL DEFAULT '1970-01-01T00:00:00.000Z';
-- Nobody of a disabled organization signs in or stays signed in.
ALTER TABLE organizations ADD COLUMN disabled_at TEXT;
-- Whether sign-ins by password need a code sent by mail, whatever program they come from: a thief can name any.
ALTER TABLE organizations ADD COLUMN otp TEXT NOT NULL DEFAULT 'off' CHECK (otp IN ('off', 'on'));
ALTER TABLE organizations ADD COLUMN otp_minutes INTEGER NOT NULL DEFAULT 10 CHECK (otp_minutes BETWEEN 1 AND 60);
ALTER TABLE organizations ADD COLUMN admins_create_machines INTEGER NOT NULL DEFAULT 0;
-- Accounts unused for longer are disabled; 0 is never.
ALTER TABLE organizations ADD COLUMN inactive_days INTEGER NOT NULL DEFAULT 30 CHECK (inactive_days BETWEEN 0 AND 3650);
-- Opens the organization's Ansible vaults; sealed.
ALTER TABLE organizations ADD COLUMN vault_sealed TEXT;
UPDATE organizations SET updated_at = created_at;

-- Whether somebody has set this server up: one row, never removed, so that setting it up is not possible twice.
CREATE TABLE setup (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  completed_at TEXT NOT NULL
) STRICT;

ALTER TABLE users ADD COLUMN display_name TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN avatar_url TEXT;
ALTER TABLE users ADD COLUMN ssh_public_key TEXT;
ALTER TABLE users ADD COLUMN must_reset_password INTEGER NOT NULL DEFAULT 0;
-- Invited, and the invitation not accepted yet. `password_hash` is empty where there is no password: nothing matches it.
ALTER TABLE users ADD COLUMN pending INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN invited_by TEXT REFERENCES users (id) ON DELETE SET NULL;
ALTER TABLE users ADD COLUMN invite_accepted_at TEXT;
-- The last sign-in, renewal, use of a key, or (re-)enabling, to the minute or so.
ALTER TABLE users ADD COLUMN active_at TEXT NOT NULL DEFAULT '1970-01-01T00:00:00.000Z';
-- How many warnings of being disabled for inactivity were sent since then.
ALTER TABLE users ADD COLUMN inactivity_warnings INTEGER NOT NULL DEFAULT 0;
-- When it is looked at for inactivity next: once a day, so that no run reads all accounts.
ALTER TABLE users ADD COLUMN inactivity_check_at TEXT NOT NULL DEFAULT '1970-01-01T00:00:00.000Z';
-- The second factor: its secret, sealed; when it was confirmed, before which it does not count; and the last time step a code
-- was taken from, so that no code is taken twice.
ALTER TABLE users ADD COLUMN totp_sealed TEXT;
ALTER TABLE users ADD COLUMN totp_confirmed_at TEXT;
ALTER TABLE users ADD COLUMN totp_step INTEGER NOT NULL DEFAULT 0;
-- Codes tried since the last right one, and until when none is looked at because they were too many.
ALTER TABLE users ADD COLUMN totp_tries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN totp_blocked_until TEXT;
UPDATE users SET active_at = COALESCE(last_login_at, created_at);

-- An organization's people, in the order of their numbers.
CREATE INDEX users_by_organization ON users (organization_id, int_id);
-- Removing an account forgets whom it invited.
CREATE INDEX users_by_inviter ON users (invited_by);
-- Accounts to be looked at for inactivity.
CREATE INDEX users_by_inactivity_check ON users (inactivity_check_at) WHERE disabled_at IS NULL AND deleted_at IS NULL;
-- One organization has a mail address once.
CREATE UNIQUE INDEX users_organization_email ON users (organization_id, email) WHERE deleted_at IS NULL;

-- Recovery codes of a second factor: digests; each works once.
CREATE TABLE recovery_codes (
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  code_hash TEXT NOT NULL,
  used_at TEXT,
  PRIMARY KEY (user_id, code_hash)
) STRICT;

-- Sign-ins that were ended before their tokens expire. A sign-in keeps its name when its token is renewed.
CREATE TABLE revoked_sign_ins (
  sign_in TEXT PRIMARY KEY,
  -- When the last of its tokens is worthless anyway, and the row with it.
  expires_at TEXT NOT NULL
) STRICT;
CREATE INDEX revoked_sign_ins_by_expiry ON revoked_sign_ins (expires_at);

-- Links sent by mail: invitations, password resets, proofs of a mail address. A digest of what the link carries.
CREATE TABLE mailed_tokens (
  token_hash TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  purpose TEXT NOT NULL CHECK (purpose IN ('invite', 'reset', 'verify')),
  created_at TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  used_at TEXT
) STRICT;
-- A new one voids those before it.
CREATE INDEX mailed_tokens_by_user ON mailed_tokens (user_id, purpose);
CREATE INDEX mailed_tokens_by_expiry ON mailed_tokens (expires_at);

-- The code mailed for a sign-in: one per account, the newest.
CREATE TABLE otp_challenges (
  user_id TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  -- Sealed: there are so few codes that a digest would hide nothing.
  code_sealed TEXT NOT NULL,
  -- JSON: what the sign-in had proven until then (`Opened` in src/auth/opened.rs).
  opened TEXT NOT NULL,
  -- How often a code was tried.
  tries INTEGER NOT NULL DEFAULT 0,
  expires_at TEXT NOT NULL
) STRICT;
CREATE INDEX otp_challenges_by_expiry ON otp_challenges (expires_at);

-- Keys of programs.
CREATE TABLE api_keys (
  id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  key_hash TEXT NOT NULL UNIQUE,
  -- The first characters, to tell keys apart.
  key_prefix TEXT NOT NULL,
  scope TEXT NOT NULL DEFAULT 'full' CHECK (scope IN ('full', 'read')),
  created_at TEXT NOT NULL,
  expires_at TEXT,
  last_used_at TEXT,
  -- An account has as many keys as there are places, also if it makes them all at once.
  place INTEGER NOT NULL DEFAULT 1 CHECK (place BETWEEN 1 AND 5),
  UNIQUE (user_id, place)
) STRICT;

-- Whether the session's shell may gain privileges: when its owner loses that right, it ends.
ALTER TABLE terminal_sessions ADD COLUMN sudo INTEGER NOT NULL DEFAULT 0;

-- Enrolled with the account's key rather than with a token of its own: shut out when that key is replaced.
ALTER TABLE machines ADD COLUMN enrolled_by_key INTEGER NOT NULL DEFAULT 0;

-- Everybody's public keys.
CREATE INDEX users_with_ssh_key ON users (organization_id, username) WHERE ssh_public_key IS NOT NULL AND deleted_at IS NULL;
