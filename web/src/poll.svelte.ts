/** Data that is fetched again while somebody looks at it: when the server says that it has changed, and now and then. */
import { Fetched } from './fetch.svelte';
import { isLive, listen, type Topic } from './live';

/** Pause between two looks while the server says what changes, in milliseconds: what time alone changes is seen, too. */
const SELDOM = 60_000;

/** What changes all the time is fetched no more often than this, in milliseconds. */
const APART = 1000;

export class Polled<T> extends Fetched<T> {
  readonly #interval: number;
  readonly #topics: readonly Topic[];

  /**
   * `interval` is the pause between an answer and the next request, in milliseconds, and longer while the server says when one of
   * `topics` has changed.
   */
  constructor(interval: number, load: (signal: AbortSignal) => Promise<T>, topics: readonly Topic[] = []) {
    super(load);
    this.#interval = interval;
    this.#topics = topics;
  }

  /** Fetches until the returned function is called, pausing while the page is hidden. Made for `$effect`. */
  override start(): () => void {
    this.want();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let stopped = false;
    let begun = 0;
    const seldom = (): number => (this.#topics.length > 0 && isLive() ? SELDOM : this.#interval);
    const round = async (): Promise<void> => {
      clearTimeout(timer);
      begun = Date.now();
      if (document.visibilityState === 'visible') await this.refresh();
      clearTimeout(timer);
      if (!stopped) timer = setTimeout(() => void round(), seldom());
    };
    const onVisible = (): void => void (document.visibilityState === 'visible' && round());
    const onChange = (changed: ReadonlySet<string> | null): void => {
      if (changed && !this.#topics.some((topic) => changed.has(topic))) return;
      clearTimeout(timer);
      timer = setTimeout(() => void round(), Math.max(0, begun + APART - Date.now()));
    };
    document.addEventListener('visibilitychange', onVisible);
    const unlisten = this.#topics.length > 0 ? listen(onChange) : undefined;
    void round();
    return () => {
      stopped = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onVisible);
      unlisten?.();
      this.abandon();
    };
  }
}
