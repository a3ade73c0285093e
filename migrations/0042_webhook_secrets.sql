-- The secrets of before that still sign beside a webhook's own, newest first: a JSON array of `sealed`, as in `secret_sealed`, and `until`.
ALTER TABLE webhooks ADD COLUMN former_secrets TEXT NOT NULL DEFAULT '[]';
