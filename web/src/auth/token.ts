/** A sign-in as it is kept in the browser, so that all tabs share it. */

export interface SignIn {
  token: string;
  /** Milliseconds since the epoch. */
  issuedAt: number;
  expiresAt: number;
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
    const { token, issuedAt, expiresAt } = JSON.parse(text) as Record<string, unknown>;
    const valid = typeof token === 'string' && typeof issuedAt === 'number' && typeof expiresAt === 'number';
    return valid ? { token, issuedAt, expiresAt } : null;
  } catch {
    return null;
  }
}

export function issued(token: string, expiresInSeconds: number, now: number): SignIn {
  return { token, issuedAt: now, expiresAt: now + expiresInSeconds * 1000 };
}

/** Whether it is time to get a new token: three quarters of its life are over, which leaves hours to try again. */
export function isDue({ issuedAt, expiresAt }: SignIn, now: number): boolean {
  return now >= issuedAt + (expiresAt - issuedAt) * 0.75;
}
