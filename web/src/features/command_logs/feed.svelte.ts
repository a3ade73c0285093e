/** The newest commands, kept up to date while somebody looks at them, and older ones as they are asked for. */
import { inWords } from '../../api/error';
import { TYPING } from '../../fetch.svelte';
import { isPassing, keepsTrying } from '../../retry';
import type { CommandLog, CommandLogPage, CommandQuery, Place } from './commands';

/** Pause between two looks for new ones, in milliseconds. */
const INTERVAL = 3000;

/** Rows that a page holds at most; what is new pushes the oldest out. */
const MOST = 1000;

type Load = (query: CommandQuery, place: Place, signal: AbortSignal) => Promise<CommandLogPage>;

export class Feed {
  /** What is looked for; a change begins anew. */
  query: CommandQuery;
  readonly #load: Load;
  #rows = $state.raw<CommandLog[] | null>(null);
  #error = $state<string | null>(null);
  /** Where older ones go on, if there may be any. */
  #next = $state<number | null>(null);
  /** Whether all was read that could match, up to where older ones go on. */
  #complete = $state(true);
  #newest = 0;
  #asked = '';
  #signal: AbortSignal | null = null;

  constructor(query: CommandQuery, load: Load) {
    const reactive = $state({ ...query });
    this.query = reactive;
    this.#load = load;
    this.#asked = JSON.stringify(query);
  }

  get rows(): CommandLog[] | null {
    return this.#rows;
  }

  get error(): string | null {
    return this.#error;
  }

  /** Whether there may be older ones. */
  get more(): boolean {
    return this.#next !== null;
  }

  get complete(): boolean {
    return this.#complete;
  }

  /** Fetches, and again and again what is new, until the returned function is called. Made for `$effect`. */
  start(): () => void {
    const asks = JSON.stringify(this.query);
    const typed = asks !== this.#asked;
    this.#asked = asks;
    const stop = new AbortController();
    this.#signal = stop.signal;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let known = false;
    const round = async (): Promise<void> => {
      clearTimeout(timer);
      if (document.visibilityState === 'visible')
        known = (await this.#try(known ? () => this.#newer() : () => this.#anew())) || known;
      if (!stop.signal.aborted) timer = setTimeout(() => void round(), INTERVAL);
    };
    const onVisible = (): void => void (document.visibilityState === 'visible' && round());
    document.addEventListener('visibilitychange', onVisible);
    timer = setTimeout(() => void round(), typed ? TYPING : 0);
    return () => {
      stop.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onVisible);
    };
  }

  /** Fetches older ones. */
  async older(): Promise<void> {
    const before = this.#next;
    if (before === null) return;
    await this.#try(async () => {
      const page = await this.#ask({ before });
      if (page === null) return;
      this.#rows = [...(this.#rows ?? []), ...page.logs];
      this.#ends(page);
    });
  }

  async #anew(): Promise<void> {
    const page = await this.#ask({});
    if (page === null) return;
    this.#rows = page.logs;
    this.#newest = page.newest;
    this.#ends(page);
  }

  async #newer(): Promise<void> {
    const page = await this.#ask({ after: this.#newest });
    if (page === null) return;
    this.#newest = page.newest;
    // More than a page came: what lies between would be missing.
    if (page.next !== null && page.next !== undefined) return this.#anew();
    if (page.logs.length > 0) this.#rows = [...page.logs, ...(this.#rows ?? [])].slice(0, MOST);
  }

  /** A page, unless something else is looked for by now. */
  async #ask(place: Place): Promise<CommandLogPage | null> {
    const signal = this.#signal ?? AbortSignal.abort();
    const page = await this.#load($state.snapshot(this.query), place, signal);
    return signal.aborted ? null : page;
  }

  #ends(page: CommandLogPage): void {
    this.#next = page.next ?? null;
    this.#complete = page.complete;
  }

  async #try(fetch: () => Promise<void>): Promise<boolean> {
    const signal = this.#signal;
    try {
      await fetch();
      this.#error = null;
      return true;
    } catch (error) {
      if (signal?.aborted !== true) this.#error = isPassing(error) ? keepsTrying(error) : inWords(error);
      return false;
    }
  }
}
