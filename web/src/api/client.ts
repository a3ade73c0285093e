/** The REST API, typed by our own OpenAPI document (`npm run generate`). */
import createClient, { type Middleware } from 'openapi-fetch';
import { errorFrom, unreachable } from './error';
import type { paths } from './schema';

/** How the client learns who is signed in, and tells that nobody is any more. */
export interface Identity {
  token(): string | null;
  rejected(): void;
  /** The server does nothing more for this account until its password is changed. */
  passwordExpired(): void;
}

let identity: Identity = { token: () => null, rejected: () => {}, passwordExpired: () => {} };

/** Called once by whoever keeps the token. */
export function identifyBy(source: Identity): void {
  identity = source;
}

/** What an answer's `code` says where nothing is done before the password is changed. */
const PASSWORD_EXPIRED = 'password_change_required';

/** Steps of signing in: what they refuse is what was typed, not whoever is signed in. */
const STEPS: ReadonlySet<string> = new Set([
  '/api/login',
  '/api/signup',
  '/api/auth/login',
  '/api/auth/select-tenant',
  '/api/auth/verify-otp',
  '/api/auth/mfa/verify',
]);

const withToken: Middleware = {
  onRequest({ request, schemaPath }) {
    const token = identity.token();
    if (token !== null && !STEPS.has(schemaPath)) request.headers.set('Authorization', `Bearer ${token}`);
    // The fields once, not a second time under `data`.
    request.headers.set('X-Envelope', 'flat');
    return request;
  },
  async onResponse({ request, response }) {
    if (response.status !== 401 && response.status !== 403) return undefined;
    const code =
      response.status === 403
        ? errorFrom(
            403,
            await response
              .clone()
              .json()
              .catch(() => null),
          ).code
        : '';
    // An answer to a token that was replaced meanwhile says nothing about the present one.
    const sent = request.headers.get('Authorization');
    if (sent === null || sent !== `Bearer ${identity.token()}`) return undefined;
    if (response.status === 401) identity.rejected();
    else if (code === PASSWORD_EXPIRED) identity.passwordExpired();
    return undefined;
  },
};

export const client = createClient<paths>({ baseUrl: globalThis.location?.origin ?? '' });
client.use(withToken);

/** The body of an answer, or an `ApiError` that says in words what went wrong. */
export async function answer<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call.catch((cause: unknown) => {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw unreachable();
  });
  if (!response.ok || data === undefined) throw errorFrom(response.status, error);
  return data;
}
