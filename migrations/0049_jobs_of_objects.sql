-- Which object of the inventory a job is about, by its number, and the type of that. A job outlives its object.
ALTER TABLE jobs ADD COLUMN object_id INTEGER;
ALTER TABLE jobs ADD COLUMN type_slug TEXT;

-- Those of one object, newest first.
CREATE INDEX jobs_of_object ON jobs (organization_id, object_id, started_at DESC, id) WHERE object_id IS NOT NULL;
