import { expect, it } from 'vitest';
import { providersOf } from './providers';

it('offers the providers that are configured, by name', () => {
  expect(providersOf({})).toEqual([]);
  expect(
    providersOf({ microsoft_enabled: true, github_enabled: true, oidc_enabled: true, oidc_name: 'Acme' }).map(
      ({ name }) => name,
    ),
  ).toEqual(['Microsoft', 'GitHub', 'Acme']);
  expect(providersOf({ microsoft_enabled: false, oidc_enabled: true, oidc_name: '' })).toEqual([
    { name: 'single sign-on', href: '/api/auth/oidc/sso' },
  ]);
});
