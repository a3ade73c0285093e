/** Who is signed in. One instance for the page; all tabs share one sign-in. */
import { answer, client, forgetAnswers, identifyBy } from '../api/client';
import { ApiError, inWords } from '../api/error';
import { isPassing, keepsTrying, Retry } from '../retry';
import { type Granted, nextStep, type Step, type Tenant } from './flow';
import { isDue, isLeaving, issued, onChange, read, type SignIn, setLeaving, takeEarlier, write } from './kept';
import type { User } from './user';

/** How often the sign-in's age is looked at, in milliseconds. Also catches a laptop that slept. */
const CHECK_INTERVAL = 60_000;

class Auth {
  #me: Promise<User> | null = null;
  #user = $state.raw<User | null>(null);
  #userError = $state<string | null>(null);
  #signIn = $state.raw<SignIn | null>(null);
  /** Asks for the account until it is known. */
  readonly #retry = new Retry(() => void this.load());
  /** The token that an earlier version of this page kept is being traded for cookies. */
  #traded: Promise<void> = Promise.resolve();
  /** The server is being told that the person left. */
  #leaving: Promise<void> | null = null;
  /** Why the person has to sign in again, if that was not their own doing. */
  reason = $state<string | null>(null);

  constructor() {
    const kept = read();
    if (kept && kept.expiresAt > Date.now()) this.#signIn = kept;
    else if (kept) this.#end('Your sign-in has expired. Please sign in again.');
    onChange((signIn) => {
      // Another organization: nothing of what this tab shows is true any more.
      if (signIn && this.#signIn && signIn.userId !== this.#signIn.userId) location.assign('/');
      this.#signIn = signIn;
      this.forget();
    });
    identifyBy({
      present: () => this.#signIn?.issuedAt ?? null,
      ready: () => this.#traded,
      rejected: () => this.reject(),
      passwordExpired: () => this.#signIn && this.#keep({ ...this.#signIn, mustChangePassword: true }),
    });
    const earlier = takeEarlier(Date.now());
    if (earlier && !this.#signIn) this.#traded = this.#trade(earlier);
    setInterval(() => this.#look(), CHECK_INTERVAL);
    document.addEventListener('visibilitychange', () => this.#look());
    window.addEventListener('online', () => this.#look());
    this.#look();
  }

  get signedIn(): boolean {
    return this.#signIn !== null;
  }

  /** Whose sign-in it is; empty without one. */
  get userId(): string {
    return this.#signIn?.userId ?? '';
  }

  /** The person's organizations, as far as this sign-in proved them. */
  get tenants(): readonly Tenant[] {
    return this.#signIn?.tenants ?? [];
  }

  /** Whether the person has to choose a password before anything else. */
  get mustChangePassword(): boolean {
    return this.#signIn !== null && (this.#signIn.mustChangePassword || this.#user?.must_reset_password === true);
  }

  /** The account, once it is known. `load` asks for it. */
  get user(): User | null {
    return this.#user;
  }

  /** Why the account is not known. */
  get userError(): string | null {
    return this.#userError;
  }

  /** Whether the person may do what needs a permission. The server decides; this decides what is shown. */
  can(permission: string): boolean {
    const permissions = this.#user?.permissions ?? [];
    return permissions.includes('*') || permissions.includes(permission);
  }

  /** Whether the person may change, enrol and delete a machine, and share it: its owner, and administrators. */
  manages({ owner_id }: { owner_id: string }): boolean {
    return this.isAdmin || (this.#user !== null && owner_id === this.#user.id);
  }

  get isAdmin(): boolean {
    return this.#user?.role === 'company_admin' || this.isSuperAdmin;
  }

  get isSuperAdmin(): boolean {
    return this.#user?.role === 'super_admin';
  }

  /** The first step: who it is. */
  async signIn(name: string, password: string): Promise<Step> {
    const who = name.includes('@') ? { email: name } : { username: name };
    // Or its answer would take the new cookies away.
    await this.#leave();
    return nextStep(await answer(client.POST('/api/auth/login', { body: { ...who, password } })));
  }

  /** Chooses an organization: while signing in with the proof of the steps before, later with that in the cookie. */
  async select(tenant: string, { proof, tenants } = { proof: '', tenants: [...this.tenants] }): Promise<Step> {
    const body = { tenant_id: tenant, ...(proof === '' ? {} : { session_token: proof }) };
    return nextStep(await answer(client.POST('/api/auth/select-tenant', { body })), { proof, tenants });
  }

  /** Trades the token that a provider's sign-in brought for cookies. Any other step is as it was. */
  async adopt(step: Step): Promise<Step> {
    if (step.kind !== 'done' || step.granted.bearer === undefined) return step;
    const { bearer: token, ...granted } = step.granted;
    await this.#leave();
    const { expires_in } = await answer(client.POST('/api/auth/refresh', { body: { token } }));
    return { kind: 'done', granted: { ...granted, expiresIn: expires_in } };
  }

  /** Goes on with the sign-in of an earlier version of this page. */
  async #trade({ token, signIn }: { token: string; signIn: SignIn }): Promise<void> {
    this.#keep(signIn);
    try {
      this.#renew(await answer(client.POST('/api/auth/refresh', { body: { token } })));
    } catch {
      this.reject();
    }
  }

  async verifyCode(username: string, code: string): Promise<Step> {
    return nextStep(await answer(client.POST('/api/auth/verify-otp', { body: { username, otp_code: code } })));
  }

  /** `code` is the authenticator's, or a recovery code. */
  async verifyFactor(proof: string, code: string): Promise<Step> {
    return nextStep(await answer(client.POST('/api/auth/mfa/verify', { body: { mfa_token: proof, code } })));
  }

  async signUp(username: string, email: string, password: string): Promise<void> {
    await this.#leave();
    this.begin(nextStep(await answer(client.POST('/api/signup', { body: { username, email, password } }))));
  }

  /** Signs in with what a last step gave; any other step changes nothing. */
  begin(step: Step): void {
    if (step.kind !== 'done') return;
    this.reason = null;
    this.forget();
    this.#keep(issued(step.granted, Date.now()));
  }

  /** Changes the password; the sign-in goes on. The old one is not needed where one must be chosen. */
  async changePassword(current: string, next: string): Promise<void> {
    const body = { new_password: next, ...(current === '' ? {} : { current_password: current }) };
    const { expires_in } = await answer(client.POST('/api/auth/change-password', { body }));
    this.#renew({ expires_in, mustChangePassword: false });
    this.forget();
  }

  /** The server does not accept the sign-in. */
  reject(): void {
    this.#end('Your sign-in is no longer valid: it expired, or was ended elsewhere. Please sign in again.');
  }

  /** Ends the sign-in, in all tabs and on the server. */
  signOut(): void {
    this.#end(null);
    setLeaving(true);
    void this.#leave();
  }

  /** The account of whoever is signed in; asked once. */
  me(): Promise<User> {
    if (this.#me) return this.#me;
    const asked = answer(client.GET('/api/auth/me'));
    this.#me = asked;
    // What failed is asked again; the account after it is another's.
    asked.catch(() => {
      if (this.#me === asked) this.#me = null;
    });
    return asked;
  }

  /** Asks for the account, for `user`. */
  async load(): Promise<void> {
    try {
      this.#user = await this.me();
      this.#userError = null;
      this.#retry.done();
    } catch (error) {
      const again = this.signedIn && isPassing(error);
      this.#userError = again ? keepsTrying(error) : inWords(error);
      if (again) this.#retry.failed();
    }
  }

  /** The account has changed: it is asked for again. */
  async reload(): Promise<void> {
    this.#me = null;
    await this.load();
  }

  forget(): void {
    this.#retry.done();
    forgetAnswers();
    this.#me = null;
    this.#user = null;
    this.#userError = null;
  }

  #end(reason: string | null): void {
    this.reason = reason;
    this.#keep(null);
  }

  #keep(signIn: SignIn | null): void {
    this.#signIn = signIn;
    if (!signIn) this.forget();
    write(signIn);
  }

  /** The same sign-in, for longer. */
  #renew({ expires_in, ...changes }: { expires_in: number } & Partial<Granted>): void {
    if (this.#signIn) this.#keep(issued({ ...this.#signIn, ...changes, expiresIn: expires_in }, Date.now()));
  }

  #look(): void {
    void this.#leave();
    void this.#refreshIfDue();
  }

  /** Has the server end what the person left, and take the cookies away. Without a connection that is done once there is one. */
  #leave(): Promise<void> {
    if (!isLeaving()) return Promise.resolve();
    const done = (): void => {
      this.#leaving = null;
    };
    this.#leaving ??= answer(client.POST('/api/auth/logout'))
      .then(
        () => setLeaving(false),
        // Whatever else the server says, it has taken the cookies away.
        (error: unknown) => error instanceof ApiError && error.status > 0 && error.status < 500 && setLeaving(false),
      )
      .finally(done) as Promise<void>;
    return this.#leaving;
  }

  async #refreshIfDue(): Promise<void> {
    // One tab does it for all; the lock's loser finds it renewed and is done.
    if (!this.#isDue()) return;
    if ('locks' in navigator) await navigator.locks.request('vsay.refresh', () => this.#refresh());
    else await this.#refresh();
  }

  #isDue(): boolean {
    return this.#signIn !== null && document.visibilityState === 'visible' && isDue(this.#signIn, Date.now());
  }

  async #refresh(): Promise<void> {
    const kept = read();
    if (kept && kept.issuedAt !== this.#signIn?.issuedAt) this.#signIn = kept;
    if (!this.#signIn || !this.#isDue()) return;
    try {
      this.#renew(await answer(client.POST('/api/auth/refresh')));
    } catch (error) {
      // A refusal ended the sign-in already. Anything else is tried again at the next look.
      if (!(error instanceof ApiError)) throw error;
    }
  }
}

export const auth = new Auth();
