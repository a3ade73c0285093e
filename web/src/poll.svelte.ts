/** Data that is fetched again and again while somebody looks at it. */
import { Fetched } from './fetch.svelte';

export class Polled<T> extends Fetched<T> {
  readonly #interval: number;

  /** `interval` is the pause between an answer and the next request, in milliseconds. */
  constructor(interval: number, load: (signal: AbortSignal) => Promise<T>) {
    super(load);
    this.#interval = interval;
  }

  /** Fetches until the returned function is called, pausing while the page is hidden. Made for `$effect`. */
  override start(): () => void {
    this.want();
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
      this.abandon();
    };
  }
}
