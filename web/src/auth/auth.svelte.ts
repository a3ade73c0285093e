/** Who is signed in. One instance for the page; all tabs share one sign-in. */
import { answer, client, identifyBy } from '../api/client';
import { ApiError } from '../api/error';
import type { components } from '../api/schema';
import { isDue, issued, onChange, read, write, type SignIn } from './token';

export type User = components['schemas']['User'];

/** How often the token's age is looked at, in milliseconds. Also catches a laptop that slept. */
const CHECK_INTERVAL = 60_000;

class Auth {
  #me: Promise<User> | null = null;
  #signIn = $state.raw<SignIn | null>(null);
  /** Why the person has to sign in again, if that was not their own doing. */
  reason = $state<string | null>(null);

  constructor() {
    const kept = read();
    if (kept && kept.expiresAt > Date.now()) this.#signIn = kept;
    else if (kept) this.#end('Your sign-in has expired. Please sign in again.');
    onChange((signIn) => {
      this.#signIn = signIn;
      this.#me = null;
    });
    identifyBy({
      token: () => this.#signIn?.token ?? null,
      rejected: () => this.reject(),
    });
    setInterval(() => void this.#refreshIfDue(), CHECK_INTERVAL);
    document.addEventListener('visibilitychange', () => void this.#refreshIfDue());
    void this.#refreshIfDue();
  }

  get signedIn(): boolean {
    return this.#signIn !== null;
  }

  /** The token for an address that cannot carry a header, such as a WebSocket's. */
  get token(): string {
    return this.#signIn?.token ?? '';
  }

  async signIn(name: string, password: string): Promise<void> {
    const who = name.includes('@') ? { email: name } : { username: name };
    this.#begin(await answer(client.POST('/api/login', { body: { ...who, password } })));
  }

  async signUp(username: string, email: string, password: string): Promise<void> {
    this.#begin(await answer(client.POST('/api/signup', { body: { username, email, password } })));
  }

  /** The server does not accept the token. */
  reject(): void {
    this.#end('Your sign-in is no longer valid: it expired, or you signed out elsewhere. Please sign in again.');
  }

  /** Forgets the sign-in, in all tabs. */
  signOut(): void {
    this.#end(null);
  }

  /** The account of whoever is signed in; asked once. */
  me(): Promise<User> {
    this.#me ??= answer(client.GET('/api/auth/me')).catch((error: unknown) => {
      this.#me = null;
      throw error;
    });
    return this.#me;
  }

  #begin({ token, expires_in }: { token: string; expires_in: number }): void {
    this.reason = null;
    this.#keep(issued(token, expires_in, Date.now()));
  }

  #end(reason: string | null): void {
    this.reason = reason;
    this.#keep(null);
  }

  #keep(signIn: SignIn | null): void {
    this.#signIn = signIn;
    if (!signIn) this.#me = null;
    write(signIn);
  }

  async #refreshIfDue(): Promise<void> {
    // One tab does it for all; the lock's loser finds a fresh token and is done.
    if (!this.#isDue()) return;
    if ('locks' in navigator) await navigator.locks.request('vsay.refresh', () => this.#refresh());
    else await this.#refresh();
  }

  #isDue(): boolean {
    return this.#signIn !== null && document.visibilityState === 'visible' && isDue(this.#signIn, Date.now());
  }

  async #refresh(): Promise<void> {
    const kept = read();
    if (kept && kept.token !== this.#signIn?.token) this.#signIn = kept;
    if (!this.#signIn || !this.#isDue()) return;
    try {
      const { token, expires_in } = await answer(client.POST('/api/auth/refresh', { body: { token: this.#signIn.token } }));
      this.#keep(issued(token, expires_in, Date.now()));
    } catch (error) {
      // A refusal ended the sign-in already. Anything else is tried again at the next look.
      if (!(error instanceof ApiError)) throw error;
    }
  }
}

export const auth = new Auth();
