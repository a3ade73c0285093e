-- When a machine's figures were measured, and a week of them.
ALTER TABLE machines ADD COLUMN metrics_at TEXT;

-- Written by the relay, which removes what is older than a week when it adds a row.
CREATE TABLE machine_metrics (
  machine_id TEXT NOT NULL REFERENCES machines (id) ON DELETE CASCADE,
  -- When the row came. The ages of its samples, in seconds, count from here.
  at TEXT NOT NULL,
  -- JSON: up to 60 samples in columns of whole numbers (protocol::api::series).
  samples TEXT NOT NULL,
  PRIMARY KEY (machine_id, at)
) STRICT, WITHOUT ROWID;
