/** The REST API, typed by our own OpenAPI document (`npm run generate`). */
import createClient, { type Middleware } from 'openapi-fetch';
import { errorFrom, unreachable } from './error';
import type { paths } from './schema';

/** How the client learns who is signed in, and tells that nobody is any more. */
export interface Identity {
  /** A name of the present sign-in, or nothing. */
  present(): number | null;
  /** When the cookies are those of the present sign-in. */
  ready(): Promise<void>;
  rejected(): void;
  /** The server does nothing more for this account until its password is changed. */
  passwordExpired(): void;
}

let identity: Identity = {
  present: () => null,
  ready: () => Promise.resolve(),
  rejected: () => {},
  passwordExpired: () => {},
};

/** Called once by whoever keeps the sign-in. */
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

/** What makes cookies of a token. */
const REFRESH = '/api/auth/refresh';

/** Says to the server that the console asks: only then its cookies count. */
export const CONSOLE = { 'X-VSAY-Console': '1' } as const;

/** By which sign-in a request was asked. */
const askedBy = new WeakMap<Request, number>();

const asConsole: Middleware = {
  async onRequest({ request, schemaPath }) {
    if (schemaPath !== REFRESH) await identity.ready();
    const present = identity.present();
    if (present !== null && !STEPS.has(schemaPath)) askedBy.set(request, present);
    for (const [name, value] of Object.entries(CONSOLE)) request.headers.set(name, value);
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
    // An answer to a sign-in that was replaced meanwhile says nothing about the present one.
    const sent = askedBy.get(request);
    if (sent === undefined || sent !== identity.present()) return undefined;
    if (response.status === 401) identity.rejected();
    else if (code === PASSWORD_EXPIRED) identity.passwordExpired();
    return undefined;
  },
};

/** Answers kept to be asked for again by their tag. Pages that poll read a few addresses, the largest some 200 kB. */
const MAX_KEPT = 8;
const kept = new Map<string, { tag: string; body: string }>();

/** Asks whether an answer has changed before it is sent again. */
const byTag: Middleware = {
  onRequest({ request }) {
    const known = request.method === 'GET' ? kept.get(request.url) : undefined;
    if (known) request.headers.set('If-None-Match', known.tag);
    return request;
  },
  async onResponse({ request, response }) {
    if (request.method !== 'GET') return undefined;
    const known = kept.get(request.url);
    kept.delete(request.url);
    if (response.status === 304 && known) {
      keep(request.url, known);
      return new Response(known.body, { status: 200, headers: { 'Content-Type': 'application/json' } });
    }
    const tag = response.headers.get('ETag');
    if (response.ok && tag !== null) keep(request.url, { tag, body: await response.clone().text() });
    return undefined;
  },
};

function keep(url: string, answered: { tag: string; body: string }): void {
  kept.set(url, answered);
  for (const oldest of kept.keys()) {
    if (kept.size <= MAX_KEPT) return;
    kept.delete(oldest);
  }
}

/** Forgets every answer: the next may be somebody else's. */
export function forgetAnswers(): void {
  kept.clear();
}

export const client = createClient<paths>({ baseUrl: globalThis.location?.origin ?? '' });
client.use(asConsole, byTag);

/** The body of an answer, or an `ApiError` that says in words what went wrong. */
export async function answer<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call.catch((cause: unknown) => {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw unreachable();
  });
  if (!response.ok || data === undefined) throw errorFrom(response.status, error);
  return data;
}
