/** Jobs, whose logs go on as a test says. */
import type { ServerResponse } from 'node:http';
import { type Answer, type Body, NOW, type Routes } from './answers';

export class Job {
  readonly facts: Body;
  readonly #lines: string[] = [];
  readonly #readers = new Set<ServerResponse>();

  constructor(facts: Body) {
    this.facts = facts;
  }

  get isOver(): boolean {
    return this.facts.status !== 'running';
  }

  /** How many look on. */
  get readers(): number {
    return this.#readers.size;
  }

  write(...lines: string[]): void {
    this.#lines.push(...lines);
    for (const reader of this.#readers) reader.write(eventsOf(lines));
  }

  end(facts: Body): void {
    Object.assign(this.facts, facts, { finished_at: NOW });
    for (const reader of this.#readers) this.#close(reader);
  }

  /** The links of all who look on break. */
  cut(): void {
    for (const reader of this.#readers) reader.destroy();
  }

  stream(response: ServerResponse): void {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.write(eventsOf(this.#lines));
    if (this.isOver) return this.#close(response);
    this.#readers.add(response);
    response.on('close', () => this.#readers.delete(response));
  }

  #close(reader: ServerResponse): void {
    reader.end(`event: done\r\ndata: ${String(this.facts.status)}\r\n\r\n`);
  }
}

function eventsOf(lines: readonly string[]): string {
  return [': a log\r\n\r\n', ...lines.map((line) => `data: ${line}\r\n\r\n`)].join('');
}

export class Jobs {
  /** Newest first. */
  readonly jobs: Job[] = [];

  add(facts: Body): Job {
    const job = new Job({
      id: this.jobs.length === 0 ? '0a1b2c3d' : String(this.jobs.length).padStart(8, '0'),
      service: 'grafana',
      action: 'deploy',
      script: null,
      parent_job_id: null,
      status: 'running',
      started_at: NOW,
      finished_at: null,
      output: [],
      deployment_id: null,
      user_id: 1,
      username: 'ada',
      ...facts,
    });
    this.jobs.unshift(job);
    return job;
  }

  find(id: string | undefined): Job | undefined {
    return this.jobs.find(({ facts }) => facts.id === id);
  }

  /** The job whose log a route reads. */
  logOf(route: string): Job | undefined {
    return this.find(/^GET \/api\/jobs\/([^/]+)\/stream$/.exec(route)?.[1]);
  }
}

export function jobs({ working: state }: { working: Jobs }): Routes {
  const known = (id: string | undefined, found: (job: Job) => Answer): Answer => {
    const job = state.find(id);
    return job ? found(job) : [404, { error: 'Job not found' }];
  };
  return {
    'GET /api/jobs': ({ query }) => {
      const is = ({ facts }: Job): boolean =>
        ['service', 'status', 'username', 'object_id'].every(
          (name) => !query.has(name) || query.get(name) === String(facts[name]),
        );
      const [page, size] = [Number(query.get('page')), Number(query.get('per_page'))];
      const found = state.jobs.filter(is).map(({ facts }) => facts);
      return [200, { jobs: found.slice((page - 1) * size, page * size), total: found.length, page, per_page: size }];
    },
    'GET /api/jobs/*': ({ at: [id] }) => known(id, ({ facts }) => [200, facts]),
    'GET /api/jobs/*/stream': ({ at: [id] }) => known(id, () => [200, {}]),
    'DELETE /api/jobs/*': ({ at: [id] }) =>
      known(id, (job) => {
        if (job.isOver) return [409, { error: 'Job is not running' }];
        job.write('[CANCELLED by ada]');
        job.end({ status: 'failed', cancelled: true });
        return [200, { status: 'cancelled', job_id: id }];
      }),
    'POST /api/jobs/*/rerun': ({ at: [id] }) =>
      known(id, ({ facts }) => {
        const again = state.add({ service: facts.service, action: facts.action, parent_job_id: id });
        return [200, { job_id: again.facts.id, status: 'running' }];
      }),
  };
}
