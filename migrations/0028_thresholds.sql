-- From how many percent on a machine's figures are worth a warning or critical, as JSON; what is not in it is as usual.
ALTER TABLE machines ADD COLUMN thresholds TEXT NOT NULL DEFAULT '{}';

-- What its last figures came to.
ALTER TABLE machines ADD COLUMN health TEXT NOT NULL DEFAULT 'healthy' CHECK (health IN ('healthy', 'warning', 'critical'));
