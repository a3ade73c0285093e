/** Signing in, step by step: what the server wants to know next. */

/** One account of a person who has several. */
export interface Tenant {
  tenant_id: string;
  tenant_name: string;
  username: string;
  user_id: string;
}

export type Step =
  /** Who are you? */
  | { kind: 'password' }
  /** Which of your organizations? `proof` stands for the password. */
  | { kind: 'tenant'; tenants: Tenant[]; proof: string }
  /** What does the mail say? */
  | { kind: 'code'; username: string; minutes: number }
  /** What does your authenticator say? */
  | { kind: 'factor'; proof: string }
  | { kind: 'done'; granted: Granted };

/** A sign-in. What proves it is in cookies, unless it came by address. */
export interface Granted {
  /** The token that a provider's sign-in brought in the address, to be traded for cookies. */
  bearer?: string;
  /** Seconds. */
  expiresIn: number;
  userId: string;
  tenants: Tenant[];
  mustChangePassword: boolean;
}

/** Any answer to a step, as the API gives it. */
export interface StepAnswer {
  token?: string;
  expires_in?: number;
  user?: { id?: string | number; must_reset_password?: boolean } | null;
  session_token?: string;
  available_tenants?: Tenant[];
  must_reset_password?: boolean;
  /** Which code is asked for: the one that was mailed, or an authenticator's. */
  mfa_method?: 'mail' | 'totp';
  mfa_token?: string;
  requires_otp?: boolean;
  username?: string;
  otp_expires_in_min?: number | null;
  requires_tenant_selection?: boolean;
  requires_selection?: boolean;
  tenants?: Tenant[];
}

/** How long a token counts as valid that does not say so, in seconds: a day, as the server makes them. */
const DEFAULT_LIFE = 86_400;

/** How long a code sent by mail is valid unless said, in minutes. */
const DEFAULT_MINUTES = 10;

/** What an answer asks for next. `before` is what earlier answers of the same sign-in gave. Throws when it asks for nothing we know. */
export function nextStep(
  answer: StepAnswer,
  before: { proof: string; tenants: Tenant[] } = { proof: '', tenants: [] },
): Step {
  const proof = answer.session_token ?? before.proof;
  const mailed = answer.mfa_method === 'mail' || (answer.mfa_method === undefined && answer.requires_otp === true);
  if (answer.mfa_token !== undefined && !mailed) return { kind: 'factor', proof: answer.mfa_token };
  if (answer.requires_tenant_selection === true || answer.requires_selection === true) {
    return { kind: 'tenant', tenants: answer.tenants ?? [], proof };
  }
  if (mailed) {
    return { kind: 'code', username: answer.username ?? '', minutes: answer.otp_expires_in_min ?? DEFAULT_MINUTES };
  }
  if (answer.expires_in === undefined && !answer.token)
    throw new Error('The server asks for something that this page does not know. Please reload it.');
  const granted = {
    ...defined('bearer', answer.token),
    expiresIn: answer.expires_in ?? DEFAULT_LIFE,
    userId: String(answer.user?.id ?? ''),
    tenants: answer.available_tenants ?? answer.tenants ?? before.tenants,
    mustChangePassword: answer.must_reset_password === true || answer.user?.must_reset_password === true,
  };
  return { kind: 'done', granted };
}

/** What a provider's sign-in brought back in the address, or why it failed. */
export function readCallback(search: string, fragment: string): { answer: StepAnswer } | { error: string } {
  const values = new URLSearchParams([...new URLSearchParams(search), ...new URLSearchParams(fragment.replace(/^#/, ''))]);
  const error = values.get('error');
  if (error !== null) return { error };
  const text = (name: string): string | undefined => values.get(name) ?? undefined;
  const tenants = decoded<Tenant[]>(values.get('tenants'));
  const lifetime = Number(values.get('expires_in') ?? NaN);
  const answer: StepAnswer = {
    ...defined('token', text('token')),
    ...defined('session_token', text('session_token')),
    ...defined('mfa_token', text('mfa_token')),
    ...defined('user', decoded<{ id: string }>(values.get('user'))),
    ...defined('tenants', Array.isArray(tenants) ? tenants : undefined),
    ...defined('expires_in', Number.isFinite(lifetime) && lifetime > 0 ? lifetime : remaining(text('token'), Date.now())),
    requires_selection: values.get('requires_selection') === 'true',
    must_reset_password: values.get('must_reset_password') === 'true',
  };
  const usable = answer.token !== undefined || answer.mfa_token !== undefined || answer.requires_selection === true;
  return usable
    ? { answer }
    : { error: 'This address carries no sign-in. It works only once, right after you signed in with a provider.' };
}

/** Where links of an earlier kind lead: `#accept-invite-…` and `#reset-password-…`. */
export function legacyPath(fragment: string): string | null {
  const [, page, token] = /^#(accept-invite|reset-password)-(.+)$/.exec(fragment) ?? [];
  return page === undefined || token === undefined ? null : `/${page}/${token}`;
}

/** Seconds that a token is valid for from now, by what it says itself. */
function remaining(token: string | undefined, now: number): number | undefined {
  const claims = decoded<{ exp?: unknown }>(token?.split('.')[1] ?? null);
  return typeof claims?.exp === 'number' ? Math.max(0, Math.floor(claims.exp - now / 1000)) : undefined;
}

/** JSON in base64url; nothing if it is not that. */
function decoded<T>(text: string | null): T | undefined {
  if (text === null) return undefined;
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(binary, (char) => char.charCodeAt(0)))) as T;
  } catch {
    return undefined;
  }
}

function defined<K extends string, V>(name: K, value: V | undefined): { [name in K]?: V } {
  return (value === undefined ? {} : { [name]: value }) as { [name in K]?: V };
}
