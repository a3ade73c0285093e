import { describe, expect, it } from 'vitest';
import { actionsFor, askedFor, describeAction, serviceOf, typedFor, wayOf } from './acting';
import type { InventoryType, TypeAction, TypeField } from './api';
import { draftOf, read } from './draft';
import { beyond, columnsOf, lossesOf, nameField, shown } from './fields';
import { addressOf, isNarrowed, pageOf, queryOf, sortedBy } from './query';
import { describePermission, describeRule, rightsOf } from './rules';

const FIELDS: TypeField[] = [
  { name: 'hostname', type: 'string', label: 'Host name', required: true },
  { name: 'os', type: 'enum', options: ['linux', 'bsd'], default: 'bsd' as never },
  { name: 'cores', type: 'integer' },
  { name: 'live', type: 'boolean' },
  { name: 'since', type: 'datetime' },
  { name: 'password', type: 'secret' },
  { name: 'more', type: 'json' },
  { name: 'notes', type: 'text' },
  { name: 'region', type: 'string' },
];

describe('the list', () => {
  it('is what the address says, and the other way round', () => {
    const query = queryOf('?search=a%26b&tag=prod&field=os&value=bsd&sort=cores&order=desc&page=3');
    expect(query).toEqual({ search: 'a&b', tag: 'prod', field: 'os', value: 'bsd', sort: 'cores', order: 'desc' });
    expect(queryOf(`?${addressOf(query, 3)}`)).toEqual(query);
    expect(addressOf(queryOf('?order=up'), 1)).toBe('');
    expect(['?page=3', '?page=0', '?page=x', ''].map(pageOf)).toEqual([3, 1, 1, 1]);
  });

  it('is narrowed by a field once there is a value', () => {
    expect(isNarrowed(queryOf('?field=os&sort=os'))).toBe(false);
    expect(['?search=a', '?tag=a', '?field=os&value=bsd'].every((address) => isNarrowed(queryOf(address)))).toBe(true);
  });

  it('is sorted one way, the other, and as before', () => {
    const first = sortedBy(queryOf(''), 'os');
    expect([first.sort, first.order]).toEqual(['os', '']);
    const second = sortedBy(first, 'os');
    expect([second.sort, second.order]).toEqual(['os', 'desc']);
    expect(sortedBy(second, 'os')).toEqual(queryOf(''));
    expect(sortedBy(second, 'cores')).toMatchObject({ sort: 'cores', order: '' });
  });

  it('has the name first, and then fields that can be read at a glance', () => {
    expect(nameField({ fields: FIELDS })?.name).toBe('hostname');
    expect(columnsOf({ fields: FIELDS }).map(({ name }) => name)).toEqual(['os', 'cores', 'live', 'since']);
    expect(nameField({ fields: [{ name: 'rack', type: 'string' }] })).toBeUndefined();
  });
});

describe('a value', () => {
  it.each([
    ['boolean', true, 'Yes'],
    ['boolean', false, 'No'],
    ['integer', 0, '0'],
    ['json', { a: 1 }, '{\n  "a": 1\n}'],
    ['string', '', ''],
    ['string', null, ''],
    ['datetime', 'yesterday', 'yesterday'],
  ] as const)('%s %j reads %j', (type, value, text) => expect(shown({ type }, value)).toBe(text));

  it('that the type has no field for is shown, too', () => {
    expect(beyond({ fields: FIELDS }, { os: 'bsd', rack: 7 })).toEqual([['rack', '7']]);
  });

  it('is among what is lost when a thing is deleted', () => {
    const data = { hostname: 'a', os: 'bsd', password: '••••••••', notes: '' };
    expect(lossesOf({ fields: FIELDS }, { data, tags: [{ id: 1, name: 'x' }], acl_rules: null })).toEqual([
      '2 values',
      '1 secret',
      '1 tag that it has',
    ]);
    expect(lossesOf({ fields: FIELDS }, { data: {}, tags: [], acl_rules: [] })).toEqual(['its number']);
  });
});

describe('a form', () => {
  it('of a new thing begins with defaults and sends what is given', () => {
    const draft = draftOf(FIELDS, null);
    expect(draft.os).toBe('bsd');
    Object.assign(draft, { hostname: 'a', cores: '4', live: 'false', more: '[1]', password: 'x' });
    const { data, wrong } = read(FIELDS, draft, null);
    expect(data).toEqual({ hostname: 'a', os: 'bsd', cores: 4, live: false, more: [1], password: 'x' });
    expect(wrong).toEqual({});
  });

  it('of a thing sends what has changed, and a secret only if there is another, or none', () => {
    const before = draftOf(FIELDS, {
      hostname: 'a',
      cores: 4,
      password: '••••••••',
      more: { b: 1 },
      since: '2026-01-31T12:00:00.5Z',
    });
    expect(before.password).toBe('');
    expect(read(FIELDS, { ...before }, before).data).toEqual({});
    const changed = { ...before, hostname: '', cores: '', password: null };
    expect(read(FIELDS, changed, before).data).toEqual({ hostname: '', cores: null, password: null });
    expect(read(FIELDS, { ...before, password: 'y' }, before).data).toEqual({ password: 'y' });
  });

  it('says what is no JSON and no time, and leaves numbers to the server', () => {
    const draft = { ...draftOf(FIELDS, null), more: '{', since: 'soon', cores: 'many' };
    const { data, wrong } = read(FIELDS, draft, null);
    expect(Object.keys(wrong)).toEqual(['data.since', 'data.more']);
    expect(data.cores).toBe('many');
  });

  it('of times is in the zone of the person, and back', () => {
    const before = draftOf(FIELDS, { since: '2026-01-31T12:00:00Z' });
    const typed = { ...before, since: `${before.since?.slice(0, 17)}30` };
    expect(read(FIELDS, typed, before).data).toEqual({ since: '2026-01-31T12:00:30.000Z' });
  });
});

describe('an action', () => {
  const ACTIONS: TypeAction[] = [
    { name: 'ssh', type: 'ssh' },
    { name: 'refresh', type: 'builtin', scope: 'type' },
    { name: 'destroy', type: 'builtin', destructive: true, confirm: 'Gone.' },
    { name: 'deploy', type: 'script' },
  ];
  const thing = { name: 'web', data: { name: 'web', vultr_label: 'my web' } };

  it('is a button for whoever may, if it is done with one thing', () => {
    const names = actionsFor({ actions: ACTIONS }, { may: ['view', 'ssh', 'refresh', 'deploy'] }).map(({ name }) => name);
    expect(names).toEqual(['ssh', 'deploy']);
  });

  it.each([
    [{ name: 'x', type: 'ssh' }, 'ssh'],
    [{ name: 'ssh', type: 'builtin' }, 'ssh'],
    [{ name: 'stop', type: 'builtin' }, 'job'],
    [{ name: 'x', type: 'dynamic_scripts' }, 'scripts'],
    [{ name: 'x', type: 'builtin_files' }, 'service'],
  ] as const)('%j goes by way of %s', (action, way) => expect(wayOf(action)).toBe(way));

  it('that destroys a server asks for its label, and sends it', () => {
    const [, , destroy, deploy] = ACTIONS as [TypeAction, TypeAction, TypeAction, TypeAction];
    expect([typedFor(destroy, thing), typedFor(deploy, thing), typedFor(destroy, null)]).toEqual(['my web', '', '']);
    expect(askedFor(destroy, thing)).toEqual({ inputs: { confirm: 'my web' } });
    expect(askedFor(deploy, thing)).toEqual({});
    expect(typedFor({ name: 'wipe', type: 'playbook', destructive: true }, thing)).toBe('web');
    expect(describeAction(destroy, thing.data)).toBe('Gone.');
    expect(describeAction(deploy, thing.data)).toContain('deploy.sh of web');
  });

  it('is about the service that it names, or that the thing is', () => {
    expect([serviceOf({ service: 'ops' }, thing.data), serviceOf({}, thing.data), serviceOf({}, {})]).toEqual([
      'ops',
      'web',
      '',
    ]);
  });
});

describe('a rule', () => {
  const type = {
    actions: [
      { name: 'restart', label: 'Restart' },
      { name: 'refresh', scope: 'type' },
    ],
  } satisfies Pick<InventoryType, 'actions'>;
  const rights = rightsOf([type, type]);

  it('is about what may be done with a thing, once each', () => {
    expect(rights.map(([name]) => name)).toEqual(['view', 'edit', 'delete', 'reveal', 'restart']);
  });

  it('is a sentence', () => {
    const rule = { role_name: 'operators', permission: 'restart', effect: 'deny' } as const;
    expect(describeRule(rule, rights)).toBe(
      'Whoever has the role operators may not use “Restart” on it, whatever else would let them.',
    );
    expect(describeRule({ ...rule, permission: 'view', effect: 'allow' }, rights)).toContain('may see it, unless a rule');
    expect(describePermission({ role_name: 'operators', permission: 'reveal' }, rights)).toBe(
      'Whoever has the role operators may see the secrets of whatever has this tag.',
    );
  });
});
