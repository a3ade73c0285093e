import { describe, expect, it } from 'vitest';
import { asked, describeOutcome, describeSeen, describeText, momentOf, NO_FILTER, readable, took } from './commands';

describe('the command log', () => {
  it('is asked for whole days, and for a text as it was typed', () => {
    const said = asked({ ...NO_FILTER, q: ' -l', exit_code: ' 1 ', from: '2026-02-06', to: '2026-02-06' });
    expect([said.q, said.exit_code]).toEqual([' -l', '1']);
    expect(Date.parse(said.to ?? '') - Date.parse(said.from ?? '')).toBe(86_400_000 - 1);
  });

  it('says how a command ended, unless all is well', () => {
    expect(describeOutcome({ outcome: 'exited', exit_code: 0 })).toBe('');
    expect(describeOutcome({ outcome: 'exited', exit_code: -1 })).toBe('Exit -1');
    expect(describeOutcome({ outcome: 'stopped', exit_code: null })).toBe('Stopped');
    expect(describeOutcome({ outcome: 'unknown', exit_code: null })).toBe('End not seen');
  });

  it('says what was not announced', () => {
    expect(describeSeen({ seen: 'announced' })).toBe('');
    expect(describeSeen({ seen: 'unannounced' })).toBe('Not announced');
    expect(describeSeen({ seen: 'screen' })).toContain('screen');
  });

  it('says why there is no text', () => {
    expect(describeText({ command_text: 'whole', missing: 0 })).toBe('');
    expect(describeText({ command_text: 'missing', missing: 12 })).toBe('12 commands are missing here');
    expect(describeText({ command_text: 'hidden', missing: 0 })).toContain('showed nothing');
  });

  it('shows what one wrote as it stood there in the end', () => {
    expect(readable('\x1b[31mred\x1b[0m\r\n10 %\r50 %\rdone\r\n\r\n')).toBe('red\ndone');
    expect(readable('\x1b]0;title\x07text')).toBe('text');
  });

  it('leads to that moment of its recording', () => {
    expect(momentOf({ recording_id: null, recording_at_ms: null })).toBeNull();
    expect(momentOf({ recording_id: 'r', recording_at_ms: 61_999 })).toBe('/recordings/r?t=61');
    expect(momentOf({ recording_id: 'r', recording_at_ms: 400 })).toBe('/recordings/r');
  });

  it('says how long one took', () =>
    expect([null, 5, 1234, 90_000, 7_200_000].map(took)).toEqual(['', '5 ms', '1.2 s', '2 min', '2.0 h']));
});
