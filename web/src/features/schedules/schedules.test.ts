import { describe, expect, it } from 'vitest';
import { describeRun, inZone, nextInWords, PRESETS, startsWhat, zones } from './schedules';

describe('a run', () => {
  it.each([
    [{ outcome: 'started', job_status: 'running' }, 'Running'],
    [{ outcome: 'started', job_status: 'completed' }, 'Done'],
    [{ outcome: 'started', job_status: 'failed' }, 'Failed'],
    [{ outcome: 'started', job_status: null }, 'Started'],
    [{ outcome: 'runner_offline', job_status: null }, 'Did not run: its runner was offline'],
    [{ outcome: 'skipped_running', job_status: null }, 'Left out: the run before was not over'],
    [{ outcome: 'queued', job_status: null }, 'Waits until the run before is over'],
  ] as const)('%j reads “%s”', (run, words) => expect(describeRun(run).words).toBe(words));
});

describe('a schedule', () => {
  const now = Date.parse('2026-02-06T00:27:00Z');

  it.each([
    ['2026-02-06T03:30:00Z', /^In 3 h 3 min · .*4:30.* \(Europe\/Berlin\)$/],
    ['2026-02-06T00:27:30Z', /^Within a minute · /],
    ['2026-02-06T00:20:00Z', /^Within a minute · /],
    [null, /^Switched off$/],
  ])('that runs at %s reads %s', (next_run_at, words) =>
    expect(nextInWords({ next_run_at, time_zone: 'Europe/Berlin' }, now)).toMatch(words),
  );

  it('says what it starts', () => {
    expect(startsWhat({ action: 'deploy', script: null, service: 'web' })).toBe('Deploy web');
    expect(startsWhat({ action: 'script', script: 'backup', service: 'web' })).toBe('Run backup of web');
  });

  it('has a zone of those that there are, and one that this browser does not know is written as the server does', () => {
    expect(zones('Mars/Base').slice(0, 2)).toEqual(['UTC', 'Mars/Base']);
    expect(new Set(zones('UTC')).size).toBe(zones('UTC').length);
    expect(inZone('2026-02-06T03:30:00Z', 'Mars/Base', '2026-02-06T04:30:00+01:00')).toBe('2026-02-06 04:30:00+01:00');
  });

  it('repeats as people often want it', () => {
    for (const [cron] of PRESETS) expect(cron.split(' ')).toHaveLength(5);
  });
});
