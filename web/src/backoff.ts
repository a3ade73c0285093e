/** How long to wait before connecting again. */

export interface BackoffBounds {
  /** The first wait, in milliseconds. */
  first: number;
  /** The second is at most this long, in milliseconds; each further one at most twice the one before. */
  base: number;
  /** No wait is longer, in milliseconds. */
  cap: number;
}

/** After a cut. Most are over at once, and somebody sits there: 0, 250 ms, 500 ms, 1 s, 2 s, 4 s, then every 5 s at most. */
export const SOON: BackoffBounds = { first: 0, base: 250, cap: 5_000 };

/** After the server said that there is nothing to connect to for a while. Still soon enough for somebody who looks on. */
export const SLOWLY: BackoffBounds = { first: 10_000, base: 10_000, cap: 30_000 };

/** No wait but the first is shorter, so that a server that refuses at once is not hammered, in milliseconds. */
export const FLOOR = 100;

/** Exponential with full jitter: thousands of tabs that were cut together do not come back together. */
export function backoffDelay(attempt: number, { first, base, cap }: BackoffBounds, random: () => number): number {
  const ceiling = attempt === 0 ? first : Math.min(cap, base * 2 ** Math.min(attempt - 1, 30));
  return ceiling === 0 ? 0 : FLOOR + Math.round(random() * Math.max(0, ceiling - FLOOR));
}
