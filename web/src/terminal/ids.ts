/** Names that the page mints for itself. */

/** A session: `session_<unix ms>_<9 base36 characters>`. The prefix tells the server that a browser made it. */
export function mintSessionId(now = Date.now()): string {
  const digits = Array.from(crypto.getRandomValues(new Uint32Array(9)), (n) => (n % 36).toString(36));
  return `session_${now}_${digits.join('')}`;
}

/** A viewer: 32 hex characters, kept by a tab for as long as it lives. */
export function mintViewerId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (n) => n.toString(16).padStart(2, '0')).join('');
}
