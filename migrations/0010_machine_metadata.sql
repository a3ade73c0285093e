-- What people note of a machine, apart from `metadata`, which its agent replaces whenever it connects.
ALTER TABLE machines ADD COLUMN own_metadata TEXT NOT NULL DEFAULT '{}';
