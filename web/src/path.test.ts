import { expect, expectTypeOf, it } from 'vitest';
import { match, type Params } from './path';

it('a pattern takes out of a path what it names', () => {
  expect(match('/groups/:id/machines/:agentId', '/groups/g1/machines/m2')).toEqual({ id: 'g1', agentId: 'm2' });
  expect(match('/groups/:id', '/groups')).toBeNull();
  expect(match('/groups/:id', '/roles/1')).toBeNull();
  expect(match('/', '/')).toEqual({});
});

it('and so does its type', () => {
  expectTypeOf<Params<'/groups/:id/machines/:agentId'>>().toEqualTypeOf<Record<'id', string> & Record<'agentId', string>>();
  expectTypeOf<keyof Params<'/groups'>>().toEqualTypeOf<never>();
});
