/** Data that a page shows: fetched once, or again whenever it may have changed. While somebody looks on, it is had in the end. */
import { inWords } from './api/error';
import type { Rows } from './api/query';
import { isPassing, keepsTrying, Retry } from './retry';

export class Fetched<T> {
  readonly #load: (signal: AbortSignal) => Promise<T>;
  #data = $state.raw<T | null>(null);
  #error = $state<string | null>(null);
  #running: AbortController | null = null;
  /** Somebody looks on. */
  #wanted = false;
  readonly #retry = new Retry(() => void this.refresh());

  constructor(load: (signal: AbortSignal) => Promise<T>) {
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

  /** Fetches, and gives up when the returned function is called. Made for `$effect`. */
  start(): () => void {
    this.want();
    void this.refresh();
    return () => this.abandon();
  }

  /** From here on, what fails is tried again. */
  protected want(): void {
    this.#wanted = true;
  }

  /** Gives up a request that is under way, and those to come. */
  abandon(): void {
    this.#wanted = false;
    this.#retry.done();
    this.#running?.abort();
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
      this.#retry.done();
    } catch (error) {
      if (running.signal.aborted) return;
      const again = this.#wanted && isPassing(error);
      this.#error = again ? keepsTrying(error) : inWords(error);
      if (again) this.#retry.failed();
    }
  }
}

/** Rows on a page of a list. */
export const PAGE_SIZE = 25;

/** How long typing has to rest before it is searched for, in milliseconds. */
export const TYPING = 250;

/** A list that is fetched page by page, by what the person looks for. */
export class Paged<T, Q extends object> extends Fetched<Rows<T>> {
  /** What is looked for; a change begins again at the first page. */
  query: Q;
  #page = $state(1);
  #asked = '';

  constructor(query: Q, load: (query: Q & { page: number; limit: number }, signal: AbortSignal) => Promise<Rows<T>>) {
    super((signal) => load({ ...($state.snapshot(this.query) as Q), page: this.#page, limit: PAGE_SIZE }, signal));
    const reactive = $state(query);
    this.query = reactive;
    this.#asked = JSON.stringify(query);
  }

  /** From 1. */
  get page(): number {
    return this.#page;
  }

  set page(page: number) {
    this.#page = page;
  }

  get pages(): number {
    return Math.max(1, Math.ceil((this.data?.total ?? 0) / PAGE_SIZE));
  }

  /** Fetches anew whenever the query or the page changes. */
  override start(): () => void {
    this.want();
    const asks = JSON.stringify(this.query);
    const typed = asks !== this.#asked;
    const { page } = this;
    if (typed && page !== 1) {
      // The effect follows the page, too: it comes here again.
      this.page = 1;
      return () => {};
    }
    const timer = setTimeout(() => void this.refresh(), typed ? TYPING : 0);
    this.#asked = asks;
    return () => {
      clearTimeout(timer);
      this.abandon();
    };
  }
}
