/** A sign-in as it is kept in the browser, so that all tabs share it. */
import type { Granted, Tenant } from './flow';

export interface SignIn {
  token: string;
  /** Milliseconds since the epoch. */
  issuedAt: number;
  expiresAt: number;
  /** Whose it is. */
  userId: string;
  /** For switching between organizations without a password. */
  proof: string;
  /** The person's organizations. */
  tenants: Tenant[];
  /** Nothing else is possible before. */
  mustChangePassword: boolean;
}

const KEY = 'vsay.sign-in';

export function read(): SignIn | null {
  return parse(localStorage.getItem(KEY));
}

export function write(signIn: SignIn | null): void {
  if (signIn) localStorage.setItem(KEY, JSON.stringify(signIn));
  else localStorage.removeItem(KEY);
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
    const { token, issuedAt, expiresAt, userId, proof, tenants, mustChangePassword } = JSON.parse(text) as Record<
      string,
      unknown
    >;
    if (typeof token !== 'string' || typeof issuedAt !== 'number' || typeof expiresAt !== 'number') return null;
    return {
      token,
      issuedAt,
      expiresAt,
      userId: typeof userId === 'string' ? userId : '',
      proof: typeof proof === 'string' ? proof : '',
      tenants: Array.isArray(tenants) ? tenants.filter(isTenant) : [],
      mustChangePassword: mustChangePassword === true,
    };
  } catch {
    return null;
  }
}

export function issued({ expiresIn, ...granted }: Granted, now: number): SignIn {
  return { ...granted, issuedAt: now, expiresAt: now + expiresIn * 1000 };
}

/** Whether it is time to get a new token: three quarters of its life are over, which leaves hours to try again. */
export function isDue({ issuedAt, expiresAt }: SignIn, now: number): boolean {
  return now >= issuedAt + (expiresAt - issuedAt) * 0.75;
}

function isTenant(value: unknown): value is Tenant {
  if (typeof value !== 'object' || value === null) return false;
  const { tenant_id, tenant_name } = value as Record<string, unknown>;
  return typeof tenant_id === 'string' && typeof tenant_name === 'string';
}
