/** What the pages for those who are not signed in ask the server, and say. */
import { answer, client } from '../../api/client';
import { ApiError } from '../../api/error';
import type { components } from '../../api/schema';
import type { Step, StepAnswer } from '../../auth/flow';

export const TITLES: Record<Step['kind'], string> = {
  password: 'Sign in',
  tenant: 'Choose an organization',
  code: 'Check your mail',
  factor: 'Second factor',
  done: 'Signed in',
};

/** How often a mailed code may be mistyped; the server counts too. */
export const CODE_TRIES = 3;

export function triesLeft(wrong: number): string {
  const left = CODE_TRIES - wrong;
  if (left <= 0) return 'It cannot be tried again.';
  return left === 1 ? 'You can try once more.' : `You can try ${left} more times.`;
}

/** Whether this server has no account at all. Unknown counts as no. */
export async function isSetupRequired(): Promise<boolean> {
  const status = await answer(client.GET('/api/auth/setup-required')).catch(() => null);
  return status?.setup_required === true;
}

export function setUp(username: string, email: string, password: string): Promise<StepAnswer> {
  return answer(client.POST('/api/auth/setup', { body: { username, password, ...(email === '' ? {} : { email }) } }));
}

/** A way to sign in that somebody else vouches for. */
export interface Provider {
  name: string;
  href: string;
}

type ProvidersAnswer = Partial<components['schemas']['OidcProviders']>;

/** The providers that are configured; none if nobody can say. */
export async function listProviders(): Promise<Provider[]> {
  return providersOf(await answer(client.GET('/api/oidc/providers')).catch((): ProvidersAnswer => ({})));
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

/** What a link of a mail does, or in words why it does nothing. */
async function followed<T>(call: Promise<T>): Promise<T> {
  return call.catch((cause: unknown) => {
    const dead = cause instanceof ApiError && cause.status === 400 && Object.keys(cause.fields).length === 0;
    throw dead ? new ApiError('This link does not work any more: it was used already, is too old, or is not complete.', 400) : cause;
  });
}

/** Asks for a link by mail. The answer never says whether there is such an account. */
export async function forgotPassword(email: string): Promise<void> {
  await answer(client.POST('/api/auth/forgot-password', { body: { email } }));
}

export async function resetPassword(token: string, password: string): Promise<void> {
  await followed(answer(client.POST('/api/auth/password-reset/{token}', { params: { path: { token } }, body: { password } })));
}

export function acceptInvite(token: string, password: string, displayName: string): Promise<StepAnswer> {
  const body = { password, ...(displayName === '' ? {} : { display_name: displayName }) };
  return followed(answer(client.POST('/api/auth/invite/{token}', { params: { path: { token } }, body })));
}

export async function verifyEmail(token: string): Promise<void> {
  await followed(answer(client.POST('/api/auth/verify-email/{token}', { params: { path: { token } } })));
}
