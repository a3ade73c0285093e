import { describe, expect, it } from 'vitest';
import { describeJob, drawable, isOfService, titleOf, tookOf, whoOf } from './jobs';

describe('a job', () => {
  it.each([
    [{ status: 'running' }, 'Running'],
    [{ status: 'completed', exit_code: 0 }, 'Done'],
    [{ status: 'failed', exit_code: 3 }, 'Failed with exit code 3'],
    [{ status: 'failed', exit_code: null }, 'Failed'],
    [{ status: 'failed', cancelled: true, exit_code: 143 }, 'Cancelled'],
  ] as const)('%j is “%s”', (job, words) => expect(describeJob({ cancelled: false, ...job }).words).toBe(words));

  it.each([
    [{ action: 'deploy', script: null, service: 'web' }, 'Deploy web'],
    [{ action: 'script', script: 'add-user', service: 'web' }, 'Run add-user of web'],
    [{ action: 'stop_all', script: null, service: 'all' }, 'Stop everything'],
    [{ action: 'run_script', script: null, service: 'server' }, 'run_script server'],
  ])('%j is called “%s”', (job, title) => expect(titleOf(job)).toBe(title));

  it('is of whoever started it, and of the clock where that did it for somebody', () => {
    expect(whoOf({ username: 'ada', schedule_name: null })).toBe('ada');
    expect(whoOf({ username: 'ada', schedule_name: 'nightly' })).toBe('nightly, as ada');
  });

  it('is of a service, or of what is at a provider', () => {
    expect(['deploy', 'script', 'stop'].every((action) => isOfService({ action }))).toBe(true);
    expect(['stop_all', 'stop_instance', 'refresh'].some((action) => isOfService({ action }))).toBe(false);
  });

  it.each([
    ['2026-02-06T12:00:42Z', '42 s'],
    ['2026-02-06T12:03:05Z', '3 min 5 s'],
    ['2026-02-06T13:02:05Z', '1 h 2 min'],
    [null, '1 min 0 s'],
    ['2026-02-06T11:00:00Z', '0 s'],
  ])('that ended at %s took %s', (finished_at, took) => {
    const now = Date.parse('2026-02-06T12:01:00Z');
    expect(tookOf({ started_at: '2026-02-06T12:00:00Z', finished_at }, now)).toBe(took);
  });
});

describe('a line of a log', () => {
  it.each([
    ['plain \t text', 'plain \t text'],
    ['\x1b[1;31mred\x1b[0m and \x1b[38:2:1:2:3mmore\x1b[m', '\x1b[1;31mred\x1b[0m and \x1b[38:2:1:2:3mmore\x1b[m'],
    ['10 %\r\x1b[K20 %', '10 %\r\x1b[K20 %'],
  ])('keeps its colours and what it overwrites: %j', (line, shown) => expect(drawable(line)).toBe(shown));

  it.each([
    ['\x1b[2J\x1b[Hclear', 'clear'],
    ['\x1b[?1049hscreen', 'screen'],
    ['\x1b[>4;2mkeys', 'keys'],
    ['\x1b]52;c;c2VjcmV0\x07clipboard', 'clipboard'],
    ['\x1b]0;title\x1b\\text', 'text'],
    ['\x1b]0;never ends', ''],
    ['\x1bPq#0\x1b\\picture', 'picture'],
    ['\x1bcreset', 'reset'],
    ['\x1b(0set', 'set'],
    ['a\x07\x08\x0b\x9b2Jb\x1b', 'a2Jb'],
  ])('does nothing else to the terminal: %j', (line, shown) => expect(drawable(line)).toBe(shown));
});
