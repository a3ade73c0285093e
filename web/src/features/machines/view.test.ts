import { describe, expect, it } from 'vitest';
import type { Machine } from './machines';
import { EVERYTHING, queryOf, shown, tagsIn, type View, viewOf } from './view';

function machine(name: string, facts: Partial<Machine> = {}): Machine {
  const usual = { agent_id: name, description: '', hostname: '', os: '', ip_address: '', linux_user: '', cpu_percent: 1 };
  return { ...usual, name, tags: [], group_ids: [], status: 'online', is_connected: true, ...facts } as unknown as Machine;
}

const MACHINES = [
  machine('web-10', { tags: ['web', 'eu'], cpu_percent: 90, last_active: '2026-02-01T00:00:00Z' }),
  machine('web-2', { tags: ['web'], is_connected: false, group_ids: ['g1'], last_active: '2026-01-01T00:00:00Z' }),
  machine('db', { status: 'pending', is_connected: false, created_at: '2026-03-01T00:00:00Z' }),
  machine('api', { group_ids: ['g1', 'g2'], last_active: '2026-03-01T00:00:00Z' }),
];

function names(view: Partial<View>, favourites: string[] = []): string[] {
  return shown(MACHINES, { ...EVERYTHING, ...view }, (id) => favourites.includes(id)).map(({ name }) => name);
}

describe('a view of machines', () => {
  it.each<[Partial<View>, string[]]>([
    [{}, ['api', 'web-10', 'web-2', 'db']],
    [{ order: 'name' }, ['api', 'db', 'web-2', 'web-10']],
    [{ order: 'cpu' }, ['web-10', 'api', 'db', 'web-2']],
    [{ state: 'offline' }, ['web-2']],
    [{ state: 'pending' }, ['db']],
    [{ tag: 'web' }, ['web-10', 'web-2']],
    [{ group: 'g1' }, ['api', 'web-2']],
    [{ group: 'g1', state: 'online', search: ' a ' }, ['api']],
  ])('%j shows %j', (view, expected) => expect(names(view)).toEqual(expected));

  it('has favourites first, in every order', () => {
    expect(names({}, ['db'])).toEqual(['db', 'api', 'web-10', 'web-2']);
    expect(names({ order: 'name' }, ['web-10', 'web-2'])).toEqual(['web-2', 'web-10', 'api', 'db']);
  });

  it('is in the address as it is, and only what was chosen', () => {
    const view: View = { search: 'a b&c=ü', state: 'offline', tag: 'x/y', group: 'g1', order: 'cpu' };
    expect(viewOf(`?${queryOf(view)}`)).toEqual(view);
    expect(queryOf(EVERYTHING)).toBe('');
    expect(viewOf('?state=nonsense&order=toString&other=1')).toEqual(EVERYTHING);
  });

  it('offers each tag once', () => expect(tagsIn(MACHINES)).toEqual(['eu', 'web']));

  it('of a thousand machines takes no time', () => {
    const many = Array.from({ length: 1000 }, (_, at) => machine(`m-${at}`, { is_connected: at % 3 === 0 }));
    const begun = performance.now();
    for (let i = 0; i < 20; i++) shown(many, EVERYTHING, () => false);
    // Some 5 ms each; ten times as long on a busy computer is still no wait.
    expect((performance.now() - begun) / 20).toBeLessThan(250);
  });
});
