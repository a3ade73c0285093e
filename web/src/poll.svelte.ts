/** Data that is fetched again and again while somebody looks at it. */
import { inWords } from './api/error';

export class Polled<T> {
  readonly #load: (signal: AbortSignal) => Promise<T>;
  readonly #interval: number;
  #data = $state.raw<T | null>(null);
  #error = $state<string | null>(null);
  #running: AbortController | null = null;

  /** `interval` is the pause between an answer and the next request, in milliseconds. */
  constructor(interval: number, load: (signal: AbortSignal) => Promise<T>) {
    this.#interval = interval;
    this.#load = load;
  }

  /** The last answer; `null` before the first. Stays when a later request fails. */
  get data(): T | null {
    return this.#data;
  }

  /** Why the last request failed, in words. */
  get error(): string | null {
    return this.#error;
  }

  /** Fetches until the returned function is called, pausing while the page is hidden. Made for `$effect`. */
  start(): () => void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let stopped = false;
    const round = async (): Promise<void> => {
      clearTimeout(timer);
      if (document.visibilityState === 'visible') await this.refresh();
      clearTimeout(timer);
      if (!stopped) timer = setTimeout(() => void round(), this.#interval);
    };
    const onVisible = (): void => void (document.visibilityState === 'visible' && round());
    document.addEventListener('visibilitychange', onVisible);
    void round();
    return () => {
      stopped = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onVisible);
      this.#running?.abort();
    };
  }

  /** Fetches now; a request that is under way is given up for it. */
  async refresh(): Promise<void> {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    try {
      const data = await this.#load(running.signal);
      if (running.signal.aborted) return;
      this.#data = data;
      this.#error = null;
    } catch (error) {
      if (!running.signal.aborted) this.#error = inWords(error);
    }
  }
}
