import { describe, expect, it } from 'vitest';
import { describeStay, describeWay } from './events';

describe('a login past the edge', () => {
  it.each([
    ['ssh', '203.0.113.7', 'pts/3', 'SSH from 203.0.113.7'],
    ['ssh', '', '', 'SSH'],
    ['console', '', 'tty1', 'Console, tty1'],
    ['console', '', '', 'Console'],
  ])('by %s from “%s” on “%s” is “%s”', (protocol, source_ip, line, words) => {
    expect(describeWay({ protocol, source_ip, line })).toBe(words);
  });

  it('says how long it was, or that it lasts', () => {
    const login_at = '2026-01-10T00:00:00Z';
    expect(describeStay({ active: true, login_at, logout_at: null })).toBe('there now');
    expect(describeStay({ active: false, login_at, logout_at: '2026-01-10T00:01:00Z' })).toMatch(/1 min/);
    expect(describeStay({ active: false, login_at, logout_at: '2026-01-09T00:00:00Z' })).toBe('less than a minute');
  });
});
