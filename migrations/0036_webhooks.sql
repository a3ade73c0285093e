-- Where an organization is told of what happens, and what it is told: an outbox. A row is made in the transaction of what it tells of,
-- or soon after by what that left behind, and is sent until it has arrived or was tried often enough.

CREATE TABLE webhooks (
  id TEXT PRIMARY KEY,
  organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  url TEXT NOT NULL,
  -- Signs what is sent. Sealed, and shown once.
  secret_sealed TEXT NOT NULL,
  -- JSON: of which events it is told, whatever rules say.
  events TEXT NOT NULL DEFAULT '[]',
  active INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
  -- Since when nothing has arrived there; NULL if the last attempt did.
  failing_since TEXT,
  -- When it was switched off because of that.
  switched_off_at TEXT,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
) STRICT;

CREATE INDEX webhooks_by_organization ON webhooks (organization_id, id);
-- Those that may have to be switched off.
CREATE INDEX webhooks_failing ON webhooks (failing_since) WHERE active = 1 AND failing_since IS NOT NULL;

CREATE TABLE deliveries (
  id TEXT PRIMARY KEY,
  organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  -- To a webhook, or by mail to a person.
  webhook_id TEXT REFERENCES webhooks (id) ON DELETE CASCADE,
  user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
  event TEXT NOT NULL,
  -- In a line. The subject of a letter.
  summary TEXT NOT NULL,
  -- The body that is posted, byte for byte, as it is signed; the text of a letter.
  payload TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'failed')),
  attempts INTEGER NOT NULL DEFAULT 0,
  max_attempts INTEGER NOT NULL,
  -- While it is pending. Whoever takes it puts this off, so that nobody else sends the same.
  next_attempt_at TEXT,
  last_attempt_at TEXT,
  -- Of the last attempt.
  response_status INTEGER,
  duration_ms INTEGER,
  response TEXT NOT NULL DEFAULT '',
  error TEXT NOT NULL DEFAULT '',
  created_at TEXT NOT NULL,
  CHECK ((webhook_id IS NULL) <> (user_id IS NULL)),
  CHECK ((status = 'pending') = (next_attempt_at IS NOT NULL))
) STRICT;

CREATE INDEX deliveries_due ON deliveries (next_attempt_at) WHERE status = 'pending';
CREATE INDEX deliveries_by_webhook ON deliveries (webhook_id, created_at, id);
CREATE INDEX deliveries_waiting_by_webhook ON deliveries (webhook_id) WHERE status = 'pending';
CREATE INDEX deliveries_by_user ON deliveries (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX deliveries_by_organization ON deliveries (organization_id);
-- What is removed because it is old.
CREATE INDEX deliveries_by_age ON deliveries (created_at);

-- Of one webhook the newest 500 are kept, those that wait included: more of them nobody reads, and no receiver wants.
CREATE TRIGGER deliveries_are_bounded AFTER INSERT ON deliveries WHEN NEW.webhook_id IS NOT NULL
BEGIN
  DELETE FROM deliveries WHERE id IN (
    SELECT id FROM deliveries WHERE webhook_id = NEW.webhook_id ORDER BY created_at DESC, id DESC LIMIT -1 OFFSET 500
  );
END;

-- However a webhook is switched off, what waits for it does not go out.
CREATE TRIGGER webhooks_switched_off AFTER UPDATE OF active ON webhooks WHEN OLD.active = 1 AND NEW.active = 0
BEGIN
  UPDATE deliveries SET status = 'failed', next_attempt_at = NULL, error = 'The webhook was switched off'
  WHERE webhook_id = NEW.id AND status = 'pending';
END;
