import { describe, expect, it, vi } from 'vitest';

const storage = vi.hoisted(() => {
  const items = new Map<string, string>();
  vi.stubGlobal('localStorage', {
    getItem: (name: string) => items.get(name) ?? null,
    removeItem: (name: string) => items.delete(name),
  });
  return items;
});

import { isDue, issued, parse, takeEarlier } from './kept';

const GRANTED = {
  expiresIn: 3600,
  userId: '1',
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
    expect(parse('{"issuedAt":1,"expiresAt":2,"tenants":[5]}')).toEqual({
      issuedAt: 1,
      expiresAt: 2,
      userId: '',
      tenants: [],
      mustChangePassword: false,
    });
  });

  it.each([null, '', 'null', '5', '{}', '{"issuedAt":5}', '{"issuedAt":"1","expiresAt":2}'])(
    'that is damaged (%j) counts as none',
    (text) => {
      expect(parse(text)).toBeNull();
    },
  );

  it('has nothing in it that signs in', () => {
    const bearer = { ...GRANTED, bearer: 'secret' };
    expect(JSON.stringify(issued(bearer, 1000))).not.toContain('secret');
  });

  it('of a version that kept a token is taken over once, and its token with it', () => {
    const earlier = { ...issued(GRANTED, 1000), token: 'secret', proof: '' };
    storage.set('vsay.sign-in', JSON.stringify(earlier));
    expect(takeEarlier(2000)).toEqual({ token: 'secret', signIn: issued(GRANTED, 1000) });
    expect(storage.size).toBe(0);
    for (const kept of [
      null,
      '{}',
      JSON.stringify({ ...earlier, token: 5 }),
      JSON.stringify({ ...earlier, expiresAt: 1 }),
    ]) {
      if (kept !== null) storage.set('vsay.sign-in', kept);
      expect(takeEarlier(2000)).toBeNull();
    }
  });

  it('is refreshed when three quarters of its life are over', () => {
    const signIn = issued({ ...GRANTED, expiresIn: 100 }, 0);
    expect(isDue(signIn, 74_999)).toBe(false);
    expect(isDue(signIn, 75_000)).toBe(true);
  });
});
