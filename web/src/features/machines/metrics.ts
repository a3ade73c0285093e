/** How a machine did, for charts: what the API has, and what came in since. */
import { answer, client } from '../../api/client';
import type { components } from '../../api/schema';
import type { Point } from '../../ui/chart';
import type { Machine } from './machines';

export type History = components['schemas']['MetricsHistory'];

export type Sample = components['schemas']['MetricsSample'];

/** Over how many hours somebody can look. */
export const RANGES = { 1: 'Hour', 6: '6 hours', 24: 'Day', 168: 'Week' } as const;

/** Samples that are kept of those that come in while a page is open: an hour of them. */
const MOST = 1200;

export async function readHistory(agentId: string, hours: number, signal: AbortSignal): Promise<History> {
  const params = { path: { agent_id: agentId }, query: { hours } };
  return await answer(client.GET('/api/machines/{agent_id}/metrics', { params, signal }));
}

/** How a machine does now, if that was measured. */
export function sampleOf({ metrics_at, resource_stats }: Pick<Machine, 'metrics_at' | 'resource_stats'>): Sample | null {
  if (!metrics_at || !resource_stats) return null;
  const {
    cpu_percent = 0,
    memory_percent = 0,
    disk_percent = 0,
    network_inbound = 0,
    network_outbound = 0,
  } = resource_stats;
  return { at: metrics_at, cpu_percent, memory_percent, disk_percent, network_inbound, network_outbound };
}

/** The samples that came in so far, with one more, unless it is there. */
export function withSample(samples: readonly Sample[], sample: Sample | null): readonly Sample[] {
  if (sample === null || samples.at(-1)?.at === sample.at) return samples;
  return [...samples, sample].slice(-MOST);
}

/** The history and what came in behind it. */
export function joined(history: readonly Sample[], since: readonly Sample[]): Sample[] {
  const end = history.at(-1)?.at ?? '';
  return [...history, ...since.filter(({ at }) => Date.parse(at) > Date.parse(end) || end === '')];
}

/** One figure of all samples. */
export function pointsOf(samples: readonly Sample[], figure: Exclude<keyof Sample, 'at'>): Point[] {
  return samples.map((sample) => ({ at: Date.parse(sample.at), value: sample[figure] }));
}
