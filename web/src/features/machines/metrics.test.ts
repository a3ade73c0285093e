import { expect, it } from 'vitest';
import { joined, pointsOf, type Sample, sampleOf, withSample } from './metrics';

const sample = (at: string, cpu_percent = 1): Sample => ({
  at,
  cpu_percent,
  memory_percent: 0,
  disk_percent: 0,
  network_inbound: 0,
  network_outbound: 0,
});

it('what was never measured is no sample', () => {
  const { at: _, ...measured } = sample('');
  const figures = { ...measured, uptime_seconds: 5 };
  expect(sampleOf({ metrics_at: null, resource_stats: figures })).toBe(null);
  expect(sampleOf({ metrics_at: '2026-01-01T00:00:00Z', resource_stats: figures })).toEqual(sample('2026-01-01T00:00:00Z'));
});

it('a sample that comes twice is one', () => {
  const once = withSample([], sample('2026-01-01T00:00:00Z'));
  expect(withSample(once, sample('2026-01-01T00:00:00Z'))).toBe(once);
  expect(withSample(once, sample('2026-01-01T00:00:03Z'))).toHaveLength(2);
});

it('what came in since stands behind the history and not in it', () => {
  const history = [sample('2026-01-01T00:00:00Z', 1), sample('2026-01-01T00:01:00Z', 2)];
  const since = [sample('2026-01-01T00:00:30Z', 3), sample('2026-01-01T00:01:00.500Z', 4)];
  expect(pointsOf(joined(history, since), 'cpu_percent').map(({ value }) => value)).toEqual([1, 2, 4]);
  expect(joined([], since)).toHaveLength(2);
});
