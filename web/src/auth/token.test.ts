import { describe, expect, it } from 'vitest';
import { isDue, issued, parse } from './token';

describe('a kept sign-in', () => {
  it('is read back as it was written', () => {
    const signIn = issued('abc', 3600, 1000);
    expect(parse(JSON.stringify(signIn))).toEqual({ token: 'abc', issuedAt: 1000, expiresAt: 3_601_000 });
  });

  it.each([null, '', 'null', '5', '{}', '{"token":5}', '{"token":"a","issuedAt":"1","expiresAt":2}'])('that is damaged (%j) counts as none', (text) => {
    expect(parse(text)).toBeNull();
  });

  it('is refreshed when three quarters of its life are over', () => {
    const signIn = issued('abc', 100, 0);
    expect(isDue(signIn, 74_999)).toBe(false);
    expect(isDue(signIn, 75_000)).toBe(true);
  });
});
