/** How the person likes terminals; kept in the browser. */
import type { Look } from '../../terminal/terminal';
import { theme } from '../../ui/theme.svelte';

const DEFAULT_SIZE = 14;
const SMALLEST = 8;
const LARGEST = 32;
const SIZE_KEY = 'vsay.font-size';
const READER_KEY = 'vsay.screen-reader';

class Preferences {
  #fontSize = $state(parseSize(localStorage.getItem(SIZE_KEY)));
  #screenReader = $state(localStorage.getItem(READER_KEY) === 'on');

  /** Whether terminals describe themselves to a screen reader, which costs some speed. */
  get screenReader(): boolean {
    return this.#screenReader;
  }

  set screenReader(on: boolean) {
    this.#screenReader = on;
    localStorage.setItem(READER_KEY, on ? 'on' : 'off');
  }

  get look(): Look {
    return { dark: theme.dark, fontSize: this.#fontSize, screenReader: this.#screenReader };
  }

  /** In steps of a pixel; 0 is the usual size. */
  changeFontSize(step: -1 | 0 | 1): void {
    this.#fontSize = step === 0 ? DEFAULT_SIZE : Math.min(LARGEST, Math.max(SMALLEST, this.#fontSize + step));
    localStorage.setItem(SIZE_KEY, String(this.#fontSize));
  }
}

function parseSize(text: string | null): number {
  const size = Number(text);
  return Number.isInteger(size) && size >= SMALLEST && size <= LARGEST ? size : DEFAULT_SIZE;
}

export const preferences = new Preferences();
