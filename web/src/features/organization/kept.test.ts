import { describe, expect, it } from 'vitest';
import { describeRun, type LogConfig, type LogRun, whatGoes } from './kept';

const NOW = Date.parse('2026-02-10T08:30:00Z');

const CONFIG: LogConfig = {
  retention_days: 90,
  recording_days: 0,
  oldest_log_at: '2026-01-01T08:30:00Z',
  oldest_recording_at: '2026-01-31T08:30:00Z',
  archive_enabled: false,
  archive_every_days: null,
  storage_type: null,
  last_archive_at: null,
  next_archive_at: null,
};

describe('what goes when less is kept', () => {
  it('is what is older, of each kind', () => {
    expect(whatGoes(CONFIG, { logs: 30, recordings: 9 }, NOW)).toEqual({
      logs: new Date('2026-01-11T08:30:00Z'),
      recordings: new Date('2026-02-01T08:30:00Z'),
    });
  });

  it('is nothing where nothing is that old, or all stays, or nothing is there', () => {
    const nothing = { logs: null, recordings: null };
    expect(whatGoes(CONFIG, { logs: 40, recordings: 10 }, NOW)).toEqual(nothing);
    expect(whatGoes(CONFIG, { logs: 0, recordings: 0 }, NOW)).toEqual(nothing);
    const empty = { ...CONFIG, oldest_log_at: null, oldest_recording_at: null };
    expect(whatGoes(empty, { logs: 1, recordings: 1 }, NOW)).toEqual(nothing);
  });

  it('is not asked about where it stays as it is', () => {
    const behind = { ...CONFIG, retention_days: 30 };
    expect(whatGoes(behind, { logs: 30, recordings: 0 }, NOW).logs).toBeNull();
  });
});

it('says of an hour what was removed in it', () => {
  const run: LogRun = {
    id: '2026-02-10T08',
    started_at: '2026-02-10T08:00:00Z',
    finished_at: '2026-02-10T08:59:00Z',
    status: 'success',
    storage_type: null,
    trigger: 'auto',
    logs_archived: 0,
    sessions_archived: 0,
    bytes_archived: 0,
    logs_deleted: 12,
    sessions_deleted: 1,
    commands_deleted: 0,
    recordings_deleted: 2,
    jobs_deleted: 1,
    archive_key: null,
    error_msg: null,
  };
  expect(describeRun(run)).toBe('12 rows of the command log, 1 session, 2 recordings, 1 job');
});
