/**
 * What is kept of a sign-in where script can read it: whose it is and how long, so that all tabs share it. What proves it is in
 * cookies that script cannot read.
 */
import type { Granted, Tenant } from './flow';

export interface SignIn {
  /** Milliseconds since the epoch. */
  issuedAt: number;
  expiresAt: number;
  /** Whose it is. */
  userId: string;
  /** The person's organizations. */
  tenants: Tenant[];
  /** Nothing else is possible before. */
  mustChangePassword: boolean;
}

const KEY = 'vsay.session';

/** Somebody signed out, and the server may not know it yet. */
const LEAVING = 'vsay.leaving';

/** Where earlier versions of this page kept a sign-in with its token. */
const WITH_TOKEN = 'vsay.sign-in';

export function read(): SignIn | null {
  return parse(localStorage.getItem(KEY));
}

export function write(signIn: SignIn | null): void {
  if (signIn) localStorage.setItem(KEY, JSON.stringify(signIn));
  else localStorage.removeItem(KEY);
}

/** Takes what an earlier version of this page kept, so that nobody signs in again because of a new one. */
export function takeEarlier(now: number): { token: string; signIn: SignIn } | null {
  const text = localStorage.getItem(WITH_TOKEN);
  localStorage.removeItem(WITH_TOKEN);
  const signIn = parse(text);
  if (text === null || signIn === null || signIn.expiresAt <= now) return null;
  const { token } = JSON.parse(text) as { token?: unknown };
  return typeof token === 'string' && token !== '' ? { token, signIn } : null;
}

/** Whether somebody signed out whom the server may still take for signed in. */
export function isLeaving(): boolean {
  return localStorage.getItem(LEAVING) !== null;
}

export function setLeaving(leaving: boolean): void {
  if (leaving) localStorage.setItem(LEAVING, 'yes');
  else localStorage.removeItem(LEAVING);
}

/** Calls back when another tab signs in, refreshes or signs out. */
export function onChange(listener: (signIn: SignIn | null) => void): void {
  window.addEventListener('storage', (event) => {
    if (event.key === KEY || event.key === null) listener(read());
  });
}

/** Checks what the storage holds: people and other versions of this page write there too. */
export function parse(text: string | null): SignIn | null {
  if (text === null) return null;
  try {
    const { issuedAt, expiresAt, userId, tenants, mustChangePassword } = JSON.parse(text) as Record<string, unknown>;
    if (typeof issuedAt !== 'number' || typeof expiresAt !== 'number') return null;
    return {
      issuedAt,
      expiresAt,
      userId: typeof userId === 'string' ? userId : '',
      tenants: Array.isArray(tenants) ? tenants.filter(isTenant) : [],
      mustChangePassword: mustChangePassword === true,
    };
  } catch {
    return null;
  }
}

export function issued({ expiresIn, userId, tenants, mustChangePassword }: Omit<Granted, 'bearer'>, now: number): SignIn {
  return { userId, tenants, mustChangePassword, issuedAt: now, expiresAt: now + expiresIn * 1000 };
}

/** Whether it is time to renew it: three quarters of its life are over, which leaves hours to try again. */
export function isDue({ issuedAt, expiresAt }: SignIn, now: number): boolean {
  return now >= issuedAt + (expiresAt - issuedAt) * 0.75;
}

function isTenant(value: unknown): value is Tenant {
  if (typeof value !== 'object' || value === null) return false;
  const { tenant_id, tenant_name } = value as Record<string, unknown>;
  return typeof tenant_id === 'string' && typeof tenant_name === 'string';
}
