/** How long to wait before connecting again. */

export interface BackoffBounds {
  /** The first wait is at most this long, in milliseconds. */
  base: number;
  /** No wait is longer, in milliseconds. */
  cap: number;
}

/** After a cut. The cap is short enough that a person who waits sees something happen. */
export const SOON: BackoffBounds = { base: 500, cap: 15_000 };

/** After the server said that there is nothing to connect to for a while. Still soon enough for somebody who looks on. */
export const SLOWLY: BackoffBounds = { base: 10_000, cap: 30_000 };

/** No wait is shorter, so that a server that refuses at once is not hammered, in milliseconds. */
export const FLOOR = 100;

/** Exponential with full jitter: thousands of tabs that were cut together do not come back together. */
export function backoffDelay(attempt: number, { base, cap }: BackoffBounds, random: () => number): number {
  const ceiling = Math.min(cap, base * 2 ** Math.min(attempt, 30));
  return FLOOR + Math.round(random() * Math.max(0, ceiling - FLOOR));
}
