/** What every form has: it is being sent or not, and what was wrong with it. */
import { tick } from 'svelte';
import { ApiError, inWords } from './api/error';

export class Form {
  readonly #names: readonly string[];
  #busy = $state(false);
  #error = $state.raw<ApiError | null>(null);

  /** `names` are the fields that the form shows. What is wrong with any other is said for the form as a whole. */
  constructor(...names: string[]) {
    this.#names = names;
  }

  get busy(): boolean {
    return this.#busy;
  }

  /** The last failure. */
  get error(): ApiError | null {
    return this.#error;
  }

  /** What is wrong with each field. */
  get fields(): Readonly<Record<string, string>> {
    return this.#error?.fields ?? {};
  }

  /** What is wrong and stands at no field. */
  get general(): string | null {
    const wrong = Object.keys(this.fields);
    return wrong.length > 0 && wrong.every((name) => this.#names.includes(name)) ? null : (this.#error?.message ?? null);
  }

  /** Shows a failure that was found before anything was sent. */
  refuse(fields: Record<string, string>): void {
    this.#error = new ApiError(Object.values(fields).join(' '), 400, fields);
    void toWhatIsWrong(document.activeElement);
  }

  /** Runs `action` unless one is under way, and says whether it succeeded. */
  async run(action: () => Promise<unknown>): Promise<boolean> {
    if (this.#busy) return false;
    this.#busy = true;
    this.#error = null;
    const focused = document.activeElement;
    try {
      await action();
      return true;
    } catch (cause) {
      this.#error = cause instanceof ApiError ? cause : new ApiError(inWords(cause), 0);
      void toWhatIsWrong(focused);
      return false;
    } finally {
      this.#busy = false;
    }
  }
}

/** Gives the keyboard to the first field that is wrong, or back to `focused`: a button that was busy has lost it. */
async function toWhatIsWrong(focused: Element | null): Promise<void> {
  await tick();
  const wrong = focused?.closest('form')?.querySelector<HTMLElement>('[aria-invalid="true"]') ?? null;
  const next = wrong ?? (document.activeElement === document.body ? focused : null);
  if (next instanceof HTMLElement) next.focus();
}
