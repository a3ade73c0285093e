-- Keys of the command log's rows. Each organization counts for itself, in a range of its own: so a search reads the index of its
-- organization and of no other, and neither keys nor their gaps say what others do.

CREATE TABLE command_log_keys (
  -- The range: from number * 2^32. Numbers are not used again, for rows outlive their organization. 2^21 of them are as many as
  -- whole numbers of JSON have room for.
  number INTEGER PRIMARY KEY AUTOINCREMENT CHECK (number < 2097152),
  organization_id TEXT NOT NULL UNIQUE,
  -- How many keys of it have been given.
  used INTEGER NOT NULL DEFAULT 0 CHECK (used < 4294967296)
) STRICT;

CREATE TRIGGER organizations_have_keys AFTER INSERT ON organizations
BEGIN
  INSERT INTO command_log_keys (organization_id) VALUES (NEW.id);
END;

CREATE TRIGGER organizations_keys_end AFTER DELETE ON organizations
BEGIN
  DELETE FROM command_log_keys WHERE organization_id = OLD.id;
END;

INSERT INTO command_log_keys (organization_id) SELECT id FROM organizations ORDER BY id;

-- What is there already moves to its range, in its order. What is left of organizations that are gone stays: nobody searches it.
UPDATE command_log_keys SET used = COALESCE((SELECT MAX(c.key) FROM command_logs c WHERE c.organization_id = command_log_keys.organization_id), 0);

DROP TRIGGER command_logs_stay;

UPDATE command_logs SET key = key + 4294967296 * (SELECT k.number FROM command_log_keys k WHERE k.organization_id = command_logs.organization_id)
WHERE organization_id IN (SELECT organization_id FROM command_log_keys);

INSERT INTO command_search (command_search) VALUES ('rebuild');

CREATE TRIGGER command_logs_stay AFTER UPDATE OF key, command ON command_logs
BEGIN
  SELECT RAISE(ABORT, 'a command is never changed');
END;
