import { describe, expect, it } from 'vitest';
import { providersOf, triesLeft } from './sign_in';

describe('signing in', () => {
  it('offers the providers that are configured, by name', () => {
    expect(providersOf({})).toEqual([]);
    expect(providersOf({ microsoft_enabled: true, github_enabled: true, oidc_enabled: true, oidc_name: 'Acme' }).map(({ name }) => name)).toEqual([
      'Microsoft', 'GitHub', 'Acme',
    ]);
    expect(providersOf({ microsoft_enabled: false, oidc_enabled: true, oidc_name: '' })).toEqual([
      { name: 'single sign-on', href: '/api/auth/oidc/sso' },
    ]);
  });

  it.each([[1, '2 more times'], [2, 'once more'], [3, 'cannot'], [4, 'cannot']])('says after %i wrong codes: %s', (wrong, words) => {
    expect(triesLeft(wrong)).toContain(words);
  });
});
