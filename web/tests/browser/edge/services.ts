/** Services of one runner, with their configs and files. */
import { type Answer, type Body, NOW, type Routes } from './answers';

export class Services {
  readonly services: Body[] = [];
  readonly outputs: Body[] = [];
  /** By service and name, and by service, directory and name. */
  readonly texts = new Map<string, string>();
  /** Whether the runner is there. */
  online = true;
  /** What scripts were asked with. */
  readonly runs: Body[] = [];
  /** The password of vaults. */
  vault: unknown = null;

  add(facts: Body): Body {
    const service = {
      service_dir: `/services/${String(facts.name)}`,
      scripts: [{ name: 'deploy', label: 'Deploy', file: 'deploy.sh' }],
      has_instance: false,
      configs: [],
      asks: [],
      problems: [],
      conflict: false,
      instance: null,
      instance_error: null,
      instances: [],
      ...facts,
    };
    this.services.push(service);
    return service;
  }

  shown(service: Body): Body {
    const runner = {
      machine_id: '1'.padStart(24, '0'),
      agent_id: '000000000001',
      name: 'web-1',
      told_at: NOW,
      age_seconds: 0,
      left_out: 0,
    };
    return { ...service, runner: { ...runner, online: this.online } };
  }
}

const AWAY: Answer = [503, { error: 'Runner is not connected' }];

export function services({ serving: state }: { serving: Services }): Routes {
  const known = (name: string | undefined, found: (service: Body) => Answer): Answer => {
    const service = state.services.find((each) => each.name === name);
    return service ? found(service) : [404, { error: 'Service not found' }];
  };
  /** What takes the runner. */
  const asked = (name: string | undefined, found: (service: Body) => Answer): Answer =>
    state.online ? known(name, found) : AWAY;
  const file = (at: string[]): string => at.join('/');
  const started = (): Answer => [200, { job_id: '0a1b2c3d', status: 'running' }];
  const vault = (): Body =>
    state.vault === null ? { set: false, set_at: null, set_by: null } : { set: true, set_at: NOW, set_by: 'ada' };
  const invalid = (content: string): boolean => content.includes('[') && !content.includes(']');
  return {
    'GET /api/services': () => [200, { services: state.services.map((service) => state.shown(service)) }],
    'GET /api/services/active-deployments': () => {
      const deployed = state.services.filter(({ deployed }) => deployed === true);
      return [200, { deployments: deployed.map((service) => state.shown(service)) }];
    },
    'GET /api/services/vault-password': () => [200, vault()],
    'PUT /api/services/vault-password': ({ body }) => {
      state.vault = body.password;
      return [200, vault()];
    },
    'GET /api/services/*': ({ at: [name] }) => known(name, (service) => [200, state.shown(service)]),
    'GET /api/services/*/outputs': ({ at: [name] }) => known(name, () => [200, { outputs: state.outputs }]),
    'POST /api/services/*/deploy': ({ at: [name] }) => asked(name, started),
    'POST /api/services/*/run': ({ at: [name], body }) =>
      asked(name, () => {
        state.runs.push(body);
        const { username } = body.inputs as Body;
        if (username !== undefined) return started();
        const error = 'username is required';
        return [400, { error, fields: [{ field: 'inputs.username', message: 'is required' }] }];
      }),
    'GET /api/services/*/configs': ({ at: [name] }) =>
      asked(name, ({ configs }) => {
        const names = ['config.yaml', 'instance.yaml', 'outputs.yaml', 'scripts.yaml'];
        return [200, { configs: names.map((each) => ({ name: each, exists: (configs as string[]).includes(each) })) }];
      }),
    'GET /api/services/*/configs/*': ({ at }) => [200, { filename: at[1], content: state.texts.get(file(at)) ?? '' }],
    'PUT /api/services/*/configs/*': ({ at, body }) => {
      const content = String(body.content);
      if (invalid(content)) return [400, { error: 'Invalid YAML: line 2 has a list that does not end' }];
      state.texts.set(file(at), content);
      return [200, { status: 'saved', filename: at[1] }];
    },
    'GET /api/services/*/files/*': ({ at }) =>
      asked(at[0], () => {
        const below = [...state.texts].filter(([path]) => path.startsWith(`${file(at)}/`));
        const files = below.map(([path, text]) => ({ name: path.split('/').at(-1), size: text.length, modified: NOW }));
        return [200, { files }];
      }),
    'GET /api/services/*/files/*/*': ({ at }) => [200, state.texts.get(file(at)) ?? ''],
    'PUT /api/services/*/files/*/*': ({ at, body }) => {
      state.texts.set(file(at), String(body.content));
      return [200, { status: 'saved', filename: at[2] }];
    },
    'POST /api/services/*/files/*': ({ at, body }) => {
      const { name } = body.file as File;
      state.texts.set(`${file(at)}/${name}`, `uploaded ${name}`);
      return [200, { status: 'uploaded', filename: name }];
    },
    'DELETE /api/services/*/files/*/*': ({ at }) => {
      const [path, text] = [file(at), state.texts.get(file(at)) ?? ''];
      state.texts.delete(path);
      state.texts.set(`${path}.backup`, text);
      return [200, { status: 'deleted', filename: at[2] }];
    },
  };
}
