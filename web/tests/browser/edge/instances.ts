/** Instances at a provider, and the jobs that stop them. */
import { type Answer, type Body, NOW, type Routes } from './answers';
import type { Jobs } from './jobs';

export class Instances {
  configured = true;
  listed = true;
  readonly hosts: Record<string, Body> = {};
  costs: Record<string, number> = {};
  /** What was asked to stop. */
  readonly stops: Body[] = [];

  add(label: string, facts: Body = {}): void {
    this.hosts[`${label.replaceAll(' ', '-')}.example`] = {
      ansible_host: '192.0.2.7',
      vultr_id: label,
      vultr_label: label,
      vultr_region: 'mel',
      vultr_plan: 'vc2-1c-1gb',
      vultr_os: 'Debian 12',
      vultr_power_status: 'running',
      vultr_power: 'running',
      vultr_tags: [],
      ...facts,
    };
  }

  get provider(): Body {
    const by = this.configured ? { set_at: NOW, set_by: 'ada' } : { set_at: null, set_by: null };
    return { provider: 'vultr', configured: this.configured, ...by };
  }
}

export function instances({ renting: state, working }: { renting: Instances; working: Jobs }): Routes {
  const starts = (service: string, action: string): Answer => {
    const job = working.add({ service, action });
    return [200, { job_id: job.facts.id, status: 'running' }];
  };
  return {
    'GET /api/instances': () => {
      const { listed, hosts, configured } = state;
      const all = listed ? { all: { hosts, children: {} } } : {};
      const cached_at = listed ? NOW : null;
      return [200, { instances: all, cached_at, age_seconds: listed ? 0 : null, left_out: 0, configured }];
    },
    'POST /api/instances/refresh': () => starts('inventory', 'refresh'),
    'POST /api/instances/stop': ({ body }) => {
      state.stops.push(body);
      return starts(String(body.label), body.destroy === true ? 'destroy_instance' : 'stop_instance');
    },
    'POST /api/services/*/stop': ({ at: [name] }) => starts(String(name), 'stop'),
    'POST /api/services/actions/stop-all': () => starts('all', 'stop_all'),
    'GET /api/costs': () => {
      const total_monthly_cost = Object.values(state.costs).reduce((sum, cost) => sum + cost, 0);
      const account = { pending_charges: 0, balance: 0 };
      const rest = { generated_at: null, cached_at: NOW, instances: [], source: 'computed' };
      return [200, { ...rest, account, total_monthly_cost, by_tag: state.costs, by_region: { mel: total_monthly_cost } }];
    },
    'POST /api/costs/refresh': () => starts('costs', 'refresh'),
    'GET /api/instances/provider': () => [200, state.provider],
    'PUT /api/instances/provider': ({ body }) => {
      if (String(body.api_key).includes(' ')) {
        const message = 'must have 1 to 200 characters of ASCII, without spaces';
        return [400, { error: `api_key ${message}`, fields: [{ field: 'api_key', message }] }];
      }
      Object.assign(state, { configured: true, listed: false });
      return [200, state.provider];
    },
    'DELETE /api/instances/provider': () => {
      Object.assign(state, { configured: false, listed: false });
      return [200, state.provider];
    },
  };
}
