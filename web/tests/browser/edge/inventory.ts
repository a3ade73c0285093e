/** The inventory: types, things, tags and rules, and what was asked to be done with them. */
import { type Answer, type Body, NOW, type Routes } from './answers';
import type { Jobs } from './jobs';

const MASK = '••••••••';

interface Thing {
  id: number;
  slug: string;
  data: Body;
  tags: number[];
  rules: Body[];
  /** Values of its secrets, by field. */
  secrets: Record<string, string>;
}

export const field = (name: string, type: string, facts: Body = {}): Body => ({
  ...{ name, type, label: name.replaceAll('_', ' '), required: false, unique: false, searchable: false, readonly: false },
  ...facts,
});

export const action = (name: string, type: string, facts: Body = {}): Body => ({
  ...{ name, type, label: name.replaceAll('_', ' '), scope: 'object', destructive: false },
  ...facts,
});

export class Inventory {
  readonly types: Body[] = [];
  readonly things: Thing[] = [];
  readonly tags: Body[] = [];
  /** By tag. */
  readonly permissions = new Map<number, Body[]>();
  /** What the person may do with things. */
  may: string[] = ['view', 'edit', 'delete', 'reveal', 'ssh', 'restart', 'destroy', 'run_script'];
  /** What was asked to be done, with which body. */
  readonly asked: Body[] = [];
  /** As whom terminals were opened. */
  readonly users: (string | null)[] = [];
  syncs = 0;

  /** Servers, as they come with the product. */
  servers(): void {
    this.type('server', 'Server', {
      is_builtin: true,
      fields: [
        field('hostname', 'string', { required: true, unique: true, searchable: true }),
        field('power', 'enum', { options: ['running', 'stopped'] }),
        field('cores', 'integer'),
        field('default_password', 'secret'),
        field('notes', 'text'),
      ],
      actions: [
        action('ssh', 'ssh'),
        action('refresh', 'builtin', { scope: 'type' }),
        action('restart', 'playbook', { confirm: 'Whatever runs there is gone for a minute.' }),
        action('destroy', 'builtin', { destructive: true, confirm: 'Nothing brings it back.' }),
      ],
      sync: { source: 'vultr_inventory' },
    });
  }

  type(slug: string, label: string, facts: Body = {}): void {
    const type = { slug, label, icon: '', description: '', fields: [], actions: [], sync: null, is_builtin: false };
    this.types.push({ id: this.types.length + 1, ...type, created_at: NOW, updated_at: NOW, ...facts });
  }

  add(slug: string, data: Body, secrets: Record<string, string> = {}): Thing {
    const thing = { id: this.things.length + 1, slug, data, tags: [], rules: [], secrets };
    this.things.push(thing);
    return thing;
  }

  tag(name: string, color: string | null = null): number {
    const id = this.tags.length + 1;
    this.tags.push({ id, name, color });
    return id;
  }

  shown({ id, slug, data, tags, secrets }: Thing): Body {
    const masked = Object.fromEntries(Object.keys(secrets).map((name) => [name, MASK]));
    return {
      id,
      type_id: 1,
      type_slug: slug,
      name: data.name ?? data.hostname ?? `#${id}`,
      data: { ...data, ...masked },
      tags: this.tags.filter((tag) => tags.includes(Number(tag.id))),
      created_by: null,
      created_at: NOW,
      updated_at: NOW,
    };
  }

  detail(thing: Thing): Body {
    return { ...this.shown(thing), may: this.may, acl_rules: thing.rules };
  }

  /** What a list has that is asked for. */
  listed(slug: string, query: URLSearchParams): Thing[] {
    const is = (thing: Thing): boolean =>
      thing.slug === slug &&
      JSON.stringify(thing.data).includes(query.get('search') ?? '') &&
      (!query.has('tag') || thing.tags.some((id) => this.tags[id - 1]?.name === query.get('tag'))) &&
      [...query].every(([name, value]) => !name.startsWith('f.') || String(thing.data[name.slice(2)]) === value);
    const found = this.things.filter(is).reverse();
    const sort = query.get('sort');
    if (sort !== null) found.sort((one, other) => String(one.data[sort]).localeCompare(String(other.data[sort])));
    return query.get('order') === 'desc' ? found.reverse() : found;
  }
}

export function inventory(state: { keeping: Inventory; working: Jobs }): Routes {
  const { keeping, working } = state;
  const type = (slug: string | undefined): Body | undefined => keeping.types.find((each) => each.slug === slug);
  const known = (id: string | undefined, found: (thing: Thing) => Answer): Answer => {
    const thing = keeping.things.find((each) => String(each.id) === id);
    return thing ? found(thing) : [404, { error: 'Object not found' }];
  };
  const starts = (facts: Body): Answer => {
    const job = working.add(facts);
    return [200, { job_id: job.facts.id, status: 'running' }];
  };
  const without = <T>(list: T[], is: (each: T) => boolean): Answer => {
    list.splice(list.findIndex(is), 1);
    return [200, { status: 'deleted' }];
  };
  const save = (thing: Thing, data: Body): void => {
    const secret = ((type(thing.slug)?.fields ?? []) as Body[])
      .filter((each) => each.type === 'secret')
      .map(({ name }) => name);
    for (const [name, value] of Object.entries(data)) {
      if (!secret.includes(name)) thing.data[name] = value;
      else if (value === null || value === '') delete thing.secrets[name];
      else thing.secrets[name] = String(value);
    }
  };
  return {
    'GET /api/inventory/types': () => [200, { types: keeping.types }],
    'POST /api/inventory/types': ({ body }) => {
      const [first] = body.fields as Body[];
      if (String(first?.name).includes(' ')) {
        const message = 'must begin with a letter or _ and have 1 to 50 of A-Z, a-z, 0-9 and _';
        return [400, { error: `fields[0].name ${message}`, fields: [{ field: 'fields[0].name', message }] }];
      }
      keeping.type(String(body.slug), String(body.label), body);
      return [201, type(String(body.slug))];
    },
    'GET /api/inventory/types/*': ({ at: [slug] }) => {
      const found = type(slug);
      return found ? [200, found] : [404, { error: `Inventory type '${slug}' not found` }];
    },
    'PUT /api/inventory/types/*': ({ at: [slug], body }) => [200, Object.assign(type(slug) ?? {}, body)],
    'DELETE /api/inventory/types/*': ({ at: [slug] }) => without(keeping.types, (each) => each.slug === slug),
    'GET /api/inventory/tags': () => {
      const count = (id: unknown): number => keeping.things.filter(({ tags }) => tags.includes(Number(id))).length;
      return [200, { tags: keeping.tags.map((tag) => ({ ...tag, object_count: count(tag.id) })) }];
    },
    'POST /api/inventory/tags': ({ body }) => {
      if (keeping.tags.some(({ name }) => name === body.name)) return [409, { error: 'Tag already exists' }];
      keeping.tag(String(body.name), (body.color as string | undefined) ?? null);
      return [200, keeping.tags.at(-1)];
    },
    'PUT /api/inventory/tags/*': ({ at: [id], body }) => [200, Object.assign(keeping.tags[Number(id) - 1] ?? {}, body)],
    'DELETE /api/inventory/tags/*': ({ at: [id] }) => without(keeping.tags, (tag) => String(tag.id) === id),
    'GET /api/inventory/tags/*/permissions': ({ at: [id] }) => [
      200,
      { permissions: keeping.permissions.get(Number(id)) ?? [] },
    ],
    'POST /api/inventory/tags/*/permissions': ({ at: [id], body }) => {
      const given = { id: 1, role_name: 'operators', ...body };
      keeping.permissions.set(Number(id), [given]);
      return [200, given];
    },
    'DELETE /api/inventory/tags/*/permissions/*': ({ at: [id] }) => {
      keeping.permissions.delete(Number(id));
      return [200, { status: 'deleted' }];
    },
    'POST /api/inventory/*/sync': () => {
      keeping.syncs++;
      return [200, { ok: true }];
    },
    'GET /api/inventory/*/export': ({ at: [slug], query }) => [200, `${slug} as ${query.toString()}`],
    'POST /api/inventory/*/actions/*': ({ at: [slug, name], body }) => {
      keeping.asked.push({ slug, name, ...body });
      return starts({ service: slug, action: name });
    },
    'POST /api/inventory/*/*/actions/*': ({ at: [slug, id, name], body }) =>
      known(id, (thing) => {
        keeping.asked.push({ slug, id, name, ...body });
        return starts({ service: keeping.shown(thing).name, action: name, object_id: thing.id, type_slug: slug });
      }),
    'GET /api/inventory/*': ({ at: [slug], query }) => {
      if (!keeping.may.includes('view')) return [403, { error: 'Permission denied' }];
      const [page, size] = [Number(query.get('page')), Number(query.get('per_page'))];
      const found = keeping.listed(slug ?? '', query).map((thing) => keeping.shown(thing));
      const total = found.length;
      const objects = found.slice((page - 1) * size, page * size);
      return [200, { objects, total, page, per_page: size, total_pages: Math.ceil(total / size) }];
    },
    'POST /api/inventory/*': ({ at: [slug], body }) => {
      const data = body.data as Body;
      if (slug === 'server' && data.hostname === undefined) {
        const wrong = [{ field: 'data.hostname', message: 'is required' }];
        return [400, { error: 'Missing required field: hostname', fields: wrong }];
      }
      const thing = keeping.add(slug ?? '', {});
      save(thing, data);
      return [200, keeping.detail(thing)];
    },
    'GET /api/inventory/*/*': ({ at: [, id] }) => known(id, (thing) => [200, keeping.detail(thing)]),
    'PUT /api/inventory/*/*': ({ at: [, id], body }) =>
      known(id, (thing) => {
        save(thing, body.data as Body);
        return [200, keeping.detail(thing)];
      }),
    'DELETE /api/inventory/*/*': ({ at: [, id] }) => without(keeping.things, (thing) => String(thing.id) === id),
    'POST /api/inventory/*/*/reveal': ({ at: [, id], body }) =>
      known(id, ({ secrets }) => [200, { field: body.field, value: secrets[String(body.field)] }]),
    'POST /api/inventory/*/*/tags': ({ at: [, id], body }) =>
      known(id, (thing) => {
        thing.tags.push(...(body.tag_ids as number[]));
        return [200, { tags: keeping.shown(thing).tags }];
      }),
    'DELETE /api/inventory/*/*/tags/*': ({ at: [, id, tag] }) =>
      known(id, (thing) => without(thing.tags, (each) => String(each) === tag)),
    'POST /api/inventory/*/*/acl': ({ at: [, id], body }) =>
      known(id, ({ rules }) => {
        const rule = { id: rules.length + 1, role_name: 'operators', username: 'operators', ...body };
        rules.push(rule);
        return [200, rule];
      }),
    'DELETE /api/inventory/*/*/acl/*': ({ at: [, id, rule] }) =>
      known(id, ({ rules }) => without(rules, (each) => String(each.id) === rule)),
  };
}
