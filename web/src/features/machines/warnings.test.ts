import { describe, expect, it } from 'vitest';
import type { Machine } from './machines';
import { warningsOf } from './warnings';

const HOST = 'https://edge.example.com';
const titles = (facts: object): string[] =>
  warningsOf({ metadata: {}, ...facts } as unknown as Machine, HOST).map(({ title }) => title);

describe('what is wrong with a machine', () => {
  it('is nothing for most', () => {
    expect(titles({})).toEqual([]);
    expect(titles({ duplicate: null, metadata: { clock_offset_seconds: '-29' } })).toEqual([]);
    expect(titles({ metadata: { clock_offset_seconds: 'nonsense' } })).toEqual([]);
  });

  it('is a copy of it that was refused, with what to run there', () => {
    const duplicate = { ip_address: '192.0.2.9', at: '2026-02-06T12:00:00Z' };
    const [warning] = warningsOf({ metadata: {}, duplicate } as unknown as Machine, HOST);
    expect(warning?.text).toContain('One at 192.0.2.9 was refused');
    expect(warning?.command).toBe(`sudo vsay-agent configure --new-identity --host ${HOST} --token <token>`);
  });

  it.each([
    ['300', 'ahead'],
    ['-30', 'behind'],
  ])('is a clock that is off by %s seconds', (clock_offset_seconds, direction) => {
    const [warning] = warningsOf({ metadata: { clock_offset_seconds } } as unknown as Machine, HOST);
    expect(warning?.text).toContain(direction);
  });
});
