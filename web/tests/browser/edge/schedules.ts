/** Schedules, and when they would run: what a test asks is as far as the clock goes here. */
import { type Answer, type Body, NOW, type Routes } from './answers';

export class Schedules {
  readonly schedules: Body[] = [];
  /** By schedule, the newest first. */
  readonly runs = new Map<string, Body[]>();

  add(facts: Body): Body {
    const schedule = {
      id: `s${this.schedules.length + 1}`,
      name: 'nightly',
      service: 'grafana',
      action: facts.script ? 'script' : 'deploy',
      script: null,
      inputs: [],
      cron: '0 4 * * *',
      time_zone: 'UTC',
      enabled: true,
      off_reason: '',
      overlap: 'skip',
      missed: 'skip',
      runs_as: 'ada',
      next_run_at: new Date(Date.now() + 3_600_000).toISOString(),
      created_at: NOW,
      ...facts,
    };
    this.schedules.push(schedule);
    return schedule;
  }

  ran(id: string, facts: Body): void {
    const run = { due_at: NOW, at: NOW, outcome: 'started', reason: '', job_id: null, job_status: null, ...facts };
    this.runs.set(id, [run, ...(this.runs.get(id) ?? [])]);
  }

  shown(schedule: Body): Body {
    return { ...schedule, last_run: this.runs.get(String(schedule.id))?.[0] ?? null };
  }
}

export function schedules({ scheduling: state }: { scheduling: Schedules }): Routes {
  const known = (id: string | undefined, found: (schedule: Body) => Answer): Answer => {
    const schedule = state.schedules.find((each) => each.id === id);
    return schedule ? found(schedule) : [404, { error: 'Schedule not found' }];
  };
  const wrong = (cron: unknown): Answer | null => {
    if (cron === undefined || String(cron).startsWith('@') || String(cron).split(' ').length === 5) return null;
    return [400, { error: 'cron must have 5 fields', fields: [{ field: 'cron', message: 'must have 5 fields' }] }];
  };
  const save = (schedule: Body, body: Body): Answer => {
    const { inputs, ...rest } = body;
    Object.assign(schedule, rest, inputs ? { inputs: Object.keys(inputs) } : {});
    if (body.action === 'deploy') schedule.script = null;
    schedule.action = schedule.script === null ? 'deploy' : 'script';
    schedule.next_run_at = schedule.enabled === false ? null : new Date(Date.now() + 3_600_000).toISOString();
    return [200, state.shown(schedule)];
  };
  return {
    'GET /api/schedules': () => [200, { schedules: state.schedules.map((schedule) => state.shown(schedule)) }],
    'POST /api/schedules': ({ body }) => wrong(body.cron) ?? [201, save(state.add({}), body)[1] as Body],
    'GET /api/schedules/preview': ({ query }) => {
      const days = [1, 2, 3, 4, 5].map((day) => `2026-02-0${day}T04:00:00Z`);
      return wrong(query.get('cron') ?? '') ?? [200, { runs: days.map((at) => ({ at, local: at })) }];
    },
    'GET /api/schedules/*': ({ at: [id] }) => known(id, (schedule) => [200, state.shown(schedule)]),
    'PUT /api/schedules/*': ({ at: [id], body }) => known(id, (schedule) => wrong(body.cron) ?? save(schedule, body)),
    'DELETE /api/schedules/*': ({ at: [id] }) =>
      known(id, (schedule) => {
        state.schedules.splice(state.schedules.indexOf(schedule), 1);
        return [200, { message: 'Schedule deleted' }];
      }),
    'GET /api/schedules/*/history': ({ at: [id] }) =>
      known(id, () => {
        const runs = state.runs.get(String(id)) ?? [];
        return [200, { runs, total: runs.length, page: 1, limit: 25, total_pages: 1 }];
      }),
  };
}
