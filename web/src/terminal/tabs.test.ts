// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest';
import { isSamePlace, parse, type Tab, tabs } from './tabs.svelte';

const VIEWER = '0'.repeat(32);
const tab = (facts: object): Tab => ({
  ...{ sessionId: 's1', agentId: 'a1', machineName: 'web-1', viewer: VIEWER, ended: null },
  ...facts,
});

describe('tabs that were kept', () => {
  const host = { by: 'thing', id: '7', user: '' };

  it.each([
    ['a machine', {}],
    ['a thing of the inventory', { agentId: '', host }],
    ['a host by its name', { agentId: '', host: { by: 'hostname', id: 'db.example', user: 'ops' } }],
  ])('are found again: %s', (_, facts) => {
    expect(parse(JSON.stringify({ list: [tab(facts)], active: 's1' }))).toEqual({ list: [tab(facts)], active: 's1' });
  });

  it.each([
    ['nowhere', { agentId: '' }],
    ['a thing without a number', { agentId: '', host: { ...host, id: '../7' } }],
    ['a host without a name', { agentId: '', host: { ...host, by: 'hostname', id: '' } }],
    ['no user', { agentId: '', host: { by: 'thing', id: '7' } }],
  ])('make no sense: %s', (_, facts) => {
    expect(parse(JSON.stringify({ list: [tab(facts)], active: null })).list).toEqual([]);
  });
});

it('a terminal on a host is started anew where it was', () => {
  tabs.openHost({ by: 'thing', id: '7', user: 'ops' }, 'db');
  const before = tabs.active;
  if (before) tabs.restart(before);
  expect(tabs.list).toHaveLength(1);
  expect(tabs.active).toMatchObject({ machineName: 'db', host: { by: 'thing', id: '7', user: 'ops' } });
  expect(tabs.active?.sessionId).not.toBe(before?.sessionId);
  tabs.clear();
});

it('two terminals are at the same place on one machine, or on one host', () => {
  const host = { by: 'thing', id: '7', user: '' } as const;
  const there = tab({ agentId: '', host });
  expect(isSamePlace(tab({}), tab({ sessionId: 's2' }))).toBe(true);
  expect(isSamePlace(there, tab({ agentId: '', host: { ...host, user: 'ops' } }))).toBe(true);
  expect(isSamePlace(there, tab({ agentId: '', host: { ...host, id: '8' } }))).toBe(false);
  expect(isSamePlace(there, tab({}))).toBe(false);
});
