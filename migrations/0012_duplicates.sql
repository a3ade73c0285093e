-- A copy of a machine, with its key, that tried to connect while the machine was connected: from where, and when it last did.
ALTER TABLE machines ADD COLUMN duplicate_address TEXT;
ALTER TABLE machines ADD COLUMN duplicate_at TEXT;
