/** Signing in with a provider that vouches for the person. */
import { answer, client } from '../../api/client';
import type { components } from '../../api/schema';
import { eventually } from '../../retry';

/** A way to sign in that somebody else vouches for. */
export interface Provider {
  name: string;
  href: string;
}

type ProvidersAnswer = Partial<components['schemas']['OidcProviders']>;

/** The providers that are configured, once somebody can say; none if nobody ever does. */
export async function listProviders(): Promise<Provider[]> {
  return providersOf(await eventually(() => answer(client.GET('/api/oidc/providers'))).catch((): ProvidersAnswer => ({})));
}

export function providersOf({ microsoft_enabled, github_enabled, oidc_enabled, oidc_name }: ProvidersAnswer): Provider[] {
  return [
    ...(microsoft_enabled === true ? [{ name: 'Microsoft', href: '/api/auth/oidc/microsoft' }] : []),
    ...(github_enabled === true ? [{ name: 'GitHub', href: '/api/auth/oidc/github' }] : []),
    ...(oidc_enabled === true ? [{ name: oidc_name || 'single sign-on', href: '/api/auth/oidc/sso' }] : []),
  ];
}

const STARTED = 'vsay.provider';

/** Remembers that this tab went to a provider, so that a sign-in somebody else sends here is not taken without a question. */
export function startProvider(): void {
  sessionStorage.setItem(STARTED, 'yes');
}

/** Whether this tab went to a provider; said once. */
export function wasStartedHere(): boolean {
  const started = sessionStorage.getItem(STARTED) !== null;
  sessionStorage.removeItem(STARTED);
  return started;
}
