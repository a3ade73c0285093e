/** How machines do: their history, and the dashboard. */
import type { FakeMachine } from './edge';

/** A history with a gap. */
export function history(route: string): [number, unknown] | null {
  const [, agent_id] = /^GET \/api\/machines\/(\w+)\/metrics$/.exec(route) ?? [];
  if (agent_id === undefined) return null;
  const to = Date.now();
  const minutes = [50, 49, 48, 20, 19, 18, 1];
  const samples = minutes.map((minute) => ({
    at: new Date(to - minute * 60_000).toISOString(),
    cpu_percent: minute,
    memory_percent: 40,
    disk_percent: 61,
    network_inbound: 0.5,
    network_outbound: 0.25,
  }));
  return [
    200,
    { agent_id, from: new Date(to - 3_600_000).toISOString(), to: new Date(to).toISOString(), step_seconds: 60, samples },
  ];
}

export function dashboard(route: string, machines: FakeMachine[]): [number, unknown] | null {
  const online = machines.filter(({ is_connected }) => is_connected).length;
  const of = (health: string): number => machines.filter((machine) => machine.health === health).length;
  switch (route) {
    case 'GET /api/dashboard/stats':
      return [
        200,
        {
          online_count: online,
          offline_count: machines.length - online,
          pending_count: 0,
          warning_count: of('warning'),
          critical_count: of('critical'),
          total_machines: machines.length,
          active_machines: online,
          inactive_machines: machines.length - online,
          total_sessions: 3,
          avg_cpu: 12,
          avg_memory: 40,
          avg_disk: 61,
          avg_network_in: 0.5,
          avg_network_out: 0.25,
        },
      ];
    case 'GET /api/dashboard/recent-machines':
      return [200, { machines: machines.slice(0, 5) }];
    case 'GET /api/dashboard/recent-activity':
      return [200, { activities: [] }];
  }
  return null;
}
