-- A run that comes due while the job of the one before runs may wait until that is over. A column of its own, beside an overlap of 'skip': what a
-- CHECK allows changes with its table only, whose rows others name, and the code of before goes on skipping such runs.
ALTER TABLE schedules ADD COLUMN queues INTEGER NOT NULL DEFAULT 0 CHECK (queues IN (0, 1));

-- A run that waits. What else its row says counts once it does not any more.
ALTER TABLE schedule_runs ADD COLUMN waiting INTEGER NOT NULL DEFAULT 0 CHECK (waiting IN (0, 1));

-- At most one of a schedule does, and the clock looks which.
CREATE UNIQUE INDEX schedule_runs_that_waits ON schedule_runs (schedule_id) WHERE waiting = 1;
CREATE INDEX schedule_runs_waiting ON schedule_runs (due_at) WHERE waiting = 1;

-- One that waits is kept however many come due meanwhile.
DROP TRIGGER schedule_runs_are_bounded;
CREATE TRIGGER schedule_runs_are_bounded AFTER INSERT ON schedule_runs
BEGIN
  DELETE FROM schedule_runs WHERE schedule_id = NEW.schedule_id AND waiting = 0 AND due_at IN (
    SELECT due_at FROM schedule_runs WHERE schedule_id = NEW.schedule_id ORDER BY due_at DESC LIMIT -1 OFFSET 200
  );
END;

-- Nothing is started of a schedule that was switched off.
CREATE TRIGGER schedules_that_are_off_wait_for_nothing AFTER UPDATE OF enabled ON schedules WHEN NEW.enabled = 0
BEGIN
  UPDATE schedule_runs SET waiting = 0, outcome = 'skipped_running', reason = 'The schedule was switched off while it waited'
    WHERE schedule_id = NEW.id AND waiting = 1;
END;
