import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ACTIONS, describeAction, describeObject } from './actions';

it('every action that the server records has words, and no other', () => {
  const source = readFileSync(new URL('../../../../src/audit/event.rs', import.meta.url), 'utf8');
  const recorded = [...source.matchAll(/^ {4}[A-Z]\w+ "([a-z_.]+)";$/gm)].map(([, name]) => name);
  expect(recorded.length).toBeGreaterThan(0);
  expect(Object.keys(ACTIONS).sort()).toEqual(recorded.sort());
});

it('an action without words is called as it is', () =>
  expect(describeAction('user.something_new')).toBe('user something new'));

it('says to whom or what it was done, where the entry names it', () => {
  const done = (details: unknown): string => describeObject({ username: 'ada', details });
  expect(done({ machine: 'web-1', username: 'bob', machine_role: 'non_sudo' })).toBe('bob, web-1');
  expect(done({ name: 'Auditor', organization: 7 })).toBe('Auditor');
  expect([{ username: 'ada' }, {}, null, undefined, 'text'].map(done)).toEqual(['', '', '', '', '']);
});
