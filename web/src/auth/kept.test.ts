import { describe, expect, it } from 'vitest';
import { isDue, issued, parse } from './token';

const GRANTED = {
  token: 'abc',
  expiresIn: 3600,
  userId: '1',
  proof: 'p',
  tenants: [{ tenant_id: 'home', tenant_name: 'Home', username: 'ada', user_id: '1' }],
  mustChangePassword: false,
};

describe('a kept sign-in', () => {
  it('is read back as it was written', () => {
    const signIn = issued(GRANTED, 1000);
    const { expiresIn: _, ...kept } = GRANTED;
    expect(parse(JSON.stringify(signIn))).toEqual({ ...kept, issuedAt: 1000, expiresAt: 3_601_000 });
  });

  it('of an earlier version still counts', () => {
    expect(parse('{"token":"a","issuedAt":1,"expiresAt":2,"tenants":[5]}')).toEqual({
      token: 'a',
      issuedAt: 1,
      expiresAt: 2,
      userId: '',
      proof: '',
      tenants: [],
      mustChangePassword: false,
    });
  });

  it.each([null, '', 'null', '5', '{}', '{"token":5}', '{"token":"a","issuedAt":"1","expiresAt":2}'])(
    'that is damaged (%j) counts as none',
    (text) => {
      expect(parse(text)).toBeNull();
    },
  );

  it('is refreshed when three quarters of its life are over', () => {
    const signIn = issued({ ...GRANTED, expiresIn: 100 }, 0);
    expect(isDue(signIn, 74_999)).toBe(false);
    expect(isDue(signIn, 75_000)).toBe(true);
  });
});
