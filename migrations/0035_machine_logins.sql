-- Who logs in on machines past the edge, as agents tell. The newest thousand of a machine are kept, for 90 days (access_events/store.rs).
CREATE TABLE machine_logins (
  id TEXT PRIMARY KEY,
  machine_id TEXT NOT NULL REFERENCES machines (id) ON DELETE CASCADE,
  -- What the agent tells it from others by: it may be told of again.
  seed TEXT NOT NULL,
  protocol TEXT NOT NULL,
  os_user TEXT NOT NULL,
  source_ip TEXT NOT NULL,
  line TEXT NOT NULL,
  login_at TEXT NOT NULL,
  logout_at TEXT,
  created_at TEXT NOT NULL,
  UNIQUE (machine_id, seed)
) STRICT;

-- A machine's list, and what is left of it when it is full.
CREATE INDEX machine_logins_by_machine ON machine_logins (machine_id, login_at, id);

-- Who is there now.
CREATE INDEX machine_logins_active ON machine_logins (machine_id, login_at) WHERE logout_at IS NULL;
