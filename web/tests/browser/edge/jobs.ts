/** Jobs, whose logs go on as a test says. */
import { type Answer, type Body, NOW, type Routes } from './answers';

export class Job {
  readonly facts: Body;
  readonly #lines: string[] = [];

  constructor(facts: Body) {
    this.facts = { ...facts, output: this.#lines };
  }

  write(...lines: string[]): void {
    this.#lines.push(...lines);
  }

  end(facts: Body): void {
    Object.assign(this.facts, facts, { finished_at: NOW });
  }
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
      status: 'running',
      started_at: NOW,
      finished_at: null,
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
}

export function jobs({ working: state }: { working: Jobs }): Routes {
  const known = (id: string | undefined, found: (job: Job) => Answer): Answer => {
    const job = state.find(id);
    return job ? found(job) : [404, { error: 'Job not found' }];
  };
  return {
    'GET /api/jobs': ({ query }) => {
      const is = ({ facts }: Job): boolean =>
        ['service', 'status', 'username'].every((name) => !query.has(name) || query.get(name) === facts[name]);
      const [page, size] = [Number(query.get('page')), Number(query.get('per_page'))];
      const found = state.jobs.filter(is).map(({ facts }) => ({ ...facts, output: [] }));
      return [200, { jobs: found.slice((page - 1) * size, page * size), total: found.length, page, per_page: size }];
    },
    'GET /api/jobs/*': ({ at: [id] }) => known(id, ({ facts }) => [200, facts]),
  };
}
