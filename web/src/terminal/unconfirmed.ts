/**
 * Notices keys that nobody confirms. The network may be a black hole that says nothing for minutes; a person who types knows it at
 * once and must see that the page knows it, too.
 */

/** Keys that are not confirmed for this long are late, in milliseconds. Across the world they take 300. */
export const LATE = 1_500;

export interface UnconfirmedPort {
  /** Calls back once; returns how to cancel. */
  after(milliseconds: number, run: () => void): () => void;
  /** Keys are late, or are not any more. */
  late(late: boolean): void;
}

export class Unconfirmed {
  readonly #port: UnconfirmedPort;
  #pending = 0;
  #late = false;
  #cancel: (() => void) | null = null;

  constructor(port: UnconfirmedPort) {
    this.#port = port;
  }

  /** So many bytes wait now. Fewer than before: some were confirmed, and the rest has its time anew. */
  pending(bytes: number): void {
    const confirmed = bytes < this.#pending;
    this.#pending = bytes;
    if (confirmed || bytes === 0) this.#stop();
    if (bytes > 0 && !this.#late) this.#cancel ??= this.#port.after(LATE, () => this.#enter(true));
  }

  #stop(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#enter(false);
  }

  #enter(late: boolean): void {
    if (late === this.#late) return;
    this.#late = late;
    this.#port.late(late);
  }
}
