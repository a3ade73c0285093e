/** The terminal on the page: xterm.js and its addons. It knows nothing of sockets and streams. */
import { FitAddon } from '@xterm/addon-fit';
import { SearchAddon } from '@xterm/addon-search';
import { Unicode11Addon } from '@xterm/addon-unicode11';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { WebglAddon } from '@xterm/addon-webgl';
import { Terminal as Xterm } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';
import { copiedText } from './clipboard';
import { MAX_SIDE } from './limits';
import type { Size } from './messages';
import { cleanPaste, runsAtOnce } from './paste';
import { giveGpuUp, hasGpu } from './renderer';
import { isFocusReport, leaveUnanswered } from './reports';
import { shortcutOf, withControl } from './shortcuts';
import { DARK, LIGHT } from './theme';

const FONT = '"JetBrains Mono Variable", ui-monospace, "SF Mono", Menlo, Consolas, monospace';

/** Lines kept above the screen. Ten thousand wide lines take some 20 MB. */
const SCROLLBACK = 10_000;

/** Clears everything, in the order of the output: RIS, "reset to initial state". */
const RESET = Uint8Array.of(0x1b, 0x63);

export interface Look {
  dark: boolean;
  fontSize: number;
  screenReader: boolean;
}

export interface TerminalEvents {
  /** The person typed or pasted, or moved the mouse or the focus for a program that wants to know. */
  onInput(bytes: Uint8Array): void;
  /** The person pastes what the program would run at once; `paste` goes on with it. */
  onPaste(text: string): void;
  /** The program gave the terminal a title. */
  onTitle(title: string): void;
  /** The one-shot Ctrl of the key row was used up. */
  onControlUsed(): void;
}

export interface SearchResult {
  index: number;
  count: number;
}

export class Terminal {
  /** Where the terminal draws. Belongs to no page at first; whoever shows it puts it somewhere. */
  readonly element = document.createElement('div');
  readonly #xterm: Xterm;
  readonly #fit = new FitAddon();
  readonly #search = new SearchAddon();
  readonly #encoder = new TextEncoder();
  /** xterm.js 6.0.0 drops some characters whose bytes come in two parts, as at the end of a frame. */
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  readonly #events: TerminalEvents;
  #webgl: WebglAddon | null = null;
  #historyWrites = 0;
  #control = false;

  constructor(look: Look, events: TerminalEvents, scrollback = SCROLLBACK) {
    this.#events = events;
    this.element.className = 'size-full';
    // Before xterm.js, which lets a paste end itself.
    this.element.addEventListener('paste', (event) => this.#pasted(event), { capture: true });
    const openLink = (_: MouseEvent, uri: string): void => void window.open(uri, '_blank', 'noopener,noreferrer');
    this.#xterm = new Xterm({
      ...options(look),
      allowProposedApi: true, // for the unicode addon
      fontFamily: FONT,
      cursorBlink: !matchMedia('(prefers-reduced-motion: reduce)').matches,
      scrollback,
      linkHandler: { activate: openLink },
      // Colours of programs that assume the other kind of background stay readable.
      minimumContrastRatio: 3,
    });
    this.#xterm.loadAddon(this.#fit);
    this.#xterm.loadAddon(this.#search);
    this.#xterm.loadAddon(new WebLinksAddon(openLink));
    this.#xterm.loadAddon(new Unicode11Addon());
    this.#xterm.unicode.activeVersion = '11';
    this.#shareClipboard();
    leaveUnanswered(this.#xterm.parser);
    this.#xterm.onData((data) => this.#input(data));
    this.#xterm.onBinary((data) => this.#events.onInput(Uint8Array.from(data, (char) => char.charCodeAt(0) & 0xff)));
    this.#xterm.onTitleChange((title) => events.onTitle(title));
    this.#xterm.attachCustomKeyEventHandler((event) => shortcutOf(event) === null);
  }

  get size(): Size {
    return { cols: this.#xterm.cols, rows: this.#xterm.rows };
  }

  /** The element is on the page: draw there. */
  async show(): Promise<void> {
    await document.fonts.load(`${this.#xterm.options.fontSize}px ${FONT}`).catch(() => []);
    if (!this.#xterm.element) this.#xterm.open(this.element);
    if (!this.#webgl && this.element.isConnected) this.#accelerate();
  }

  /** The element left the page, or another one covers it. Browsers keep only a few WebGL contexts alive. */
  hide(): void {
    this.#webgl?.dispose();
    this.#webgl = null;
  }

  /** The size that fills the element, or nothing while that cannot be measured: one that is hidden has room for nothing. */
  measure(): Size | null {
    if (!this.element.checkVisibility() || this.element.clientWidth === 0) return null;
    const size = this.#fit.proposeDimensions();
    if (!size || !Number.isFinite(size.cols) || !Number.isFinite(size.rows)) return null;
    return { cols: Math.min(size.cols, MAX_SIDE), rows: Math.min(size.rows, MAX_SIDE) };
  }

  resize({ cols, rows }: Size): void {
    this.#xterm.resize(cols, rows);
  }

  /** Draws bytes and calls back when that is done. `history` is drawn and does nothing else. */
  write(bytes: Uint8Array, history: boolean, drawn: () => void): void {
    if (history) this.#historyWrites++;
    this.#xterm.write(this.#decoder.decode(bytes, { stream: true }), () => {
      if (history) this.#historyWrites--;
      drawn();
    });
  }

  /** Runs when everything written so far is drawn. */
  afterWrites(run: () => void): void {
    this.#xterm.write('', run);
  }

  /** Whether what is shown is the end of the output, and follows it. */
  get isAtEnd(): boolean {
    const { viewportY, baseY } = this.#xterm.buffer.active;
    return viewportY >= baseY;
  }

  /** Another part of the output is shown. */
  onScrolled(listener: () => void): () => void {
    const subscription = this.#xterm.onScroll(listener);
    return () => subscription.dispose();
  }

  toEnd(): void {
    this.#xterm.scrollToBottom();
  }

  reset(): void {
    this.#xterm.write(RESET);
  }

  restyle(look: Look): void {
    Object.assign(this.#xterm.options, options(look));
  }

  focus(): void {
    this.#xterm.focus();
  }

  /** Pastes for the person, as the program wants it. */
  paste(text: string): void {
    this.#xterm.paste(cleanPaste(text));
  }

  /** Marks where the terminal ends, which is not where the window does. */
  set framed(framed: boolean) {
    this.element.toggleAttribute('data-framed', framed);
  }

  /** Types for the person, as the key row does. */
  press(data: string): void {
    this.#xterm.input(data, true);
  }

  /** Cursor keys differ by mode: programs like editors ask for their own. */
  pressArrow(direction: 'A' | 'B' | 'C' | 'D'): void {
    this.press(`\x1b${this.#xterm.modes.applicationCursorKeysMode ? 'O' : '['}${direction}`);
  }

  /** Whether the next character is typed with Ctrl. */
  holdControl(held: boolean): void {
    this.#control = held;
  }

  get selection(): string {
    return this.#xterm.getSelection();
  }

  find(text: string, direction: 'next' | 'previous', incremental = false): void {
    const decorations = {
      matchBackground: '#d9b65a',
      matchOverviewRuler: '#d9b65a',
      activeMatchBackground: '#c6f135',
      activeMatchColorOverviewRuler: '#c6f135',
    };
    if (direction === 'next') this.#search.findNext(text, { incremental, decorations });
    else this.#search.findPrevious(text, { decorations });
  }

  endFind(): void {
    this.#search.clearDecorations();
    this.#xterm.clearSelection();
  }

  onFound(listener: (result: SearchResult) => void): () => void {
    const subscription = this.#search.onDidChangeResults(({ resultIndex, resultCount }) => {
      listener({ index: resultIndex, count: resultCount });
    });
    return () => subscription.dispose();
  }

  /** All text, scrollback included, a line per line of the terminal. */
  get text(): string {
    const buffer = this.#xterm.buffer.active;
    const lines = Array.from({ length: buffer.length }, (_, at) => buffer.getLine(at)?.translateToString(true) ?? '');
    return lines.join('\n').trimEnd();
  }

  dispose(): void {
    this.#xterm.dispose();
    this.element.remove();
  }

  #input(data: string): void {
    // A program that wants to know the focus hears of changes, not of somebody who opens the page.
    if (this.#historyWrites > 0 && isFocusReport(data)) return;
    let typed = data;
    if (this.#control) {
      typed = withControl(data);
      this.#control = false;
      this.#events.onControlUsed();
    }
    this.#events.onInput(this.#encoder.encode(typed));
  }

  #pasted(event: ClipboardEvent): void {
    event.preventDefault();
    event.stopPropagation();
    const text = cleanPaste(event.clipboardData?.getData('text/plain') ?? '');
    if (text === '') return;
    if (!this.#xterm.modes.bracketedPasteMode && runsAtOnce(text)) this.#events.onPaste(text);
    else this.paste(text);
  }

  #accelerate(): void {
    if (!hasGpu()) return;
    try {
      const webgl = new WebglAddon();
      webgl.onContextLoss(() => {
        giveGpuUp();
        this.hide();
      });
      this.#xterm.loadAddon(webgl);
      this.#webgl = webgl;
    } catch {
      // No WebGL here: xterm draws with elements instead.
    }
  }

  #shareClipboard(): void {
    this.#xterm.parser.registerOscHandler(52, (data) => {
      // What was copied before we came stays in the past.
      const text = this.#historyWrites > 0 ? null : copiedText(data);
      if (text !== null) void navigator.clipboard.writeText(text).catch(() => {});
      return true;
    });
  }
}

function options({ dark, fontSize, screenReader }: Look): Pick<Xterm['options'], 'theme' | 'fontSize' | 'screenReaderMode'> {
  return { theme: dark ? DARK : LIGHT, fontSize, screenReaderMode: screenReader };
}
