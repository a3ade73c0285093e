-- The thing of the inventory that a terminal on another host is on, if it was opened by the right over that one: `ssh_right` is then what may
-- be done with it, and not a codename. When the thing goes, so does what it gave.
ALTER TABLE terminal_sessions ADD COLUMN ssh_object INTEGER REFERENCES inventory_objects (id) ON DELETE SET NULL;
CREATE INDEX terminal_sessions_on_things ON terminal_sessions (ssh_object) WHERE ssh_object IS NOT NULL;
