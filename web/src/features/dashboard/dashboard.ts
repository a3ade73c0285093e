/** What is going on, at a glance. */
import { answer, client } from '../../api/client';
import type { components } from '../../api/schema';

export type Stats = components['schemas']['DashboardStats'];

export interface Dashboard {
  stats: Stats;
  machines: components['schemas']['Machine'][];
  activities: components['schemas']['CommandLog'][];
}

/** All of it, asked for at once. */
export async function readDashboard(signal: AbortSignal): Promise<Dashboard> {
  const [stats, { machines }, { activities }] = await Promise.all([
    answer(client.GET('/api/dashboard/stats', { signal })),
    answer(client.GET('/api/dashboard/recent-machines', { signal })),
    answer(client.GET('/api/dashboard/recent-activity', { signal })),
  ]);
  return { stats, machines, activities };
}

/** The numbers in words, each with the list that it counts, if there is one. */
export function figuresOf(stats: Stats): { term: string; value: string; href?: string; tone?: 'warn' | 'bad' }[] {
  const percent = (value: number): string => (stats.online_count > 0 ? `${Math.round(value)} %` : '–');
  const trouble =
    stats.critical_count > 0 ? ({ tone: 'bad' } as const) : stats.warning_count > 0 ? ({ tone: 'warn' } as const) : {};
  return [
    { term: 'Online', value: `${stats.online_count} of ${stats.total_machines}`, href: '/machines?state=online' },
    { term: 'Offline', value: String(stats.offline_count), href: '/machines?state=offline' },
    { term: 'Waiting for their agents', value: String(stats.pending_count), href: '/machines?state=pending' },
    { term: 'At a threshold', value: describeTrouble(stats), ...trouble },
    { term: 'CPU, mean', value: percent(stats.avg_cpu) },
    { term: 'Memory, mean', value: percent(stats.avg_memory) },
    { term: 'Disk, mean', value: percent(stats.avg_disk) },
    { term: 'Sessions so far', value: String(stats.total_sessions), href: '/running' },
  ];
}

function describeTrouble({ warning_count, critical_count }: Stats): string {
  if (critical_count > 0 && warning_count > 0) return `${critical_count} critical, ${warning_count} warned of`;
  if (critical_count > 0) return `${critical_count} critical`;
  return warning_count > 0 ? `${warning_count} warned of` : 'None';
}
