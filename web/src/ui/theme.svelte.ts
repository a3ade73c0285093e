/** Light, dark, or as the system has it. public/theme.js applies the choice before the first paint. */
import { MediaQuery } from 'svelte/reactivity';

export const THEMES = ['light', 'dark', 'system'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'vsay.theme';

class ThemeChoice {
  readonly #systemDark = new MediaQuery('(prefers-color-scheme: dark)');
  #choice = $state<Theme>(THEMES.find((theme) => theme === localStorage.getItem(KEY)) ?? 'system');

  get choice(): Theme {
    return this.#choice;
  }

  set choice(choice: Theme) {
    this.#choice = choice;
    if (choice === 'system') {
      localStorage.removeItem(KEY);
      delete document.documentElement.dataset.theme;
    } else {
      localStorage.setItem(KEY, choice);
      document.documentElement.dataset.theme = choice;
    }
  }

  /** What is shown now. */
  get dark(): boolean {
    return this.#choice === 'dark' || (this.#choice === 'system' && this.#systemDark.current);
  }
}

export const theme = new ThemeChoice();
