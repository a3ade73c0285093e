/** Trying again by oneself, as every page does that shows what the server knows. */
import { ApiError, inWords } from './api/error';
import { type BackoffBounds, backoffDelay } from './backoff';

/** Waits between two tries, in milliseconds: somebody looks on, and a server that comes back is not to be run down. */
export const PATIENCE: BackoffBounds = { first: 1_000, base: 2_000, cap: 15_000 };

/** Whether the same request may succeed later: the network, a failure of the server, or too many requests. */
export function isPassing(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status === 429 || error.status >= 500);
}

/** What failed, and that it is tried again. */
export function keepsTrying(error: unknown): string {
  return `${inWords(error)} This page keeps trying.`;
}

/** Runs something again after each failure, later and later; at once when the network or the person comes back. */
export class Retry {
  readonly #run: () => void;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #listening: AbortController | null = null;

  constructor(run: () => void) {
    this.#run = run;
  }

  /** It failed. */
  failed(): void {
    clearTimeout(this.#timer ?? undefined);
    this.#timer = setTimeout(() => this.#now(), backoffDelay(this.#failures++, PATIENCE, Math.random));
    if (this.#listening) return;
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    window.addEventListener('online', () => this.#now(), { signal });
    document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && this.#now(), { signal });
  }

  /** It succeeded, or nobody wants it any more. */
  done(): void {
    this.#stop();
    this.#failures = 0;
  }

  #now(): void {
    this.#stop();
    this.#run();
  }

  #stop(): void {
    clearTimeout(this.#timer ?? undefined);
    this.#timer = null;
    this.#listening?.abort();
    this.#listening = null;
  }
}

/** What a request answers, however often it has to be asked; a refusal that will not change is thrown. */
export function eventually<T>(ask: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const attempt = (): void => {
      ask().then(
        (found) => {
          retry.done();
          resolve(found);
        },
        (error: unknown) => {
          if (isPassing(error)) return retry.failed();
          retry.done();
          reject(error as Error);
        },
      );
    };
    const retry = new Retry(attempt);
    attempt();
  });
}
