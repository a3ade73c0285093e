/** Finding things by what somebody types, when they have stopped. */
import { inWords } from './api/error';
import { TYPING } from './fetch.svelte';

/** What is found by a text that somebody is typing. */
export class Finder<T> {
  text = $state('');
  /** Null until there is an answer. */
  found = $state.raw<T[] | null>(null);
  failure = $state<string | null>(null);
  readonly #find: (text: string) => Promise<T[]>;

  constructor(find: (text: string) => Promise<T[]>) {
    this.#find = find;
  }

  /** Searches for the text as it is now: the body of an effect, which runs again when it is another. */
  start(): () => void {
    const text = this.text.trim();
    let current = true;
    const timer = setTimeout(
      () => {
        this.#find(text).then(
          (list) => {
            if (current) [this.found, this.failure] = [list, null];
          },
          (cause) => {
            if (current) this.failure = inWords(cause);
          },
        );
      },
      text === '' ? 0 : TYPING,
    );
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }
}
