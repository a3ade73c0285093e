import { describe, expect, it } from 'vitest';
import { ago, bytes, duration } from './format';

const NOW = Date.parse('2026-02-06T12:00:00Z');

describe('times and sizes', () => {
  it.each([
    [null, 'never'],
    ['nonsense', 'unknown'],
    ['2026-02-06T12:00:05Z', 'just now'],
    ['2026-02-06T11:59:30Z', 'just now'],
    ['2026-02-06T11:59:10Z', '1 minute ago'],
    ['2026-02-06T11:50:00Z', '10 minutes ago'],
    ['2026-02-06T09:30:00Z', '2 hours ago'],
    ['2026-02-05T09:30:00Z', 'yesterday'],
    ['2026-01-06T12:00:00Z', '31 days ago'],
  ])('%j is %s', (time, words) => expect(ago(time, NOW)).toBe(words));

  it.each([
    [10, 'less than a minute'],
    [61, '1 min'],
    [3720, '1 h 2 min'],
    [90_000, '1 d 1 h'],
    [86_400 * 3 + 60, '3 d 1 min'],
  ])('%i seconds are %s', (seconds, words) => expect(duration(seconds)).toBe(words));

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1400, '1.4 kB'],
    [123_456_789, '123 MB'],
    [2.5e12, '2.5 TB'],
  ])('%d bytes are %s', (count, words) => expect(bytes(count)).toBe(words));
});
