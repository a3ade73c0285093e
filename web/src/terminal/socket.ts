/**
 * A WebSocket that comes back: it reconnects with back-off, notices links that died silently, and says at every moment
 * what it is doing. It knows nothing of terminals.
 */
import { backoffDelay, SLOWLY, SOON } from '../backoff';
import { DEAD_LINK, type Retry } from './close';

/** How often an idle link is tried, in milliseconds. Proxies commonly drop links that are silent for a minute. */
export const PING_INTERVAL = 25_000;

/** A link that brings nothing for this long after a ping is dead, in milliseconds: a slow one answers within a second or two. */
export const PONG_TIMEOUT = 4_000;

/** A connection attempt that takes longer is given up, in milliseconds. */
export const CONNECT_TIMEOUT = 15_000;

/** A link that stood this long was healthy: the next cut starts with short waits again, in milliseconds. */
export const HEALTHY_SPELL = 10_000;

export type SocketState =
  | { name: 'connecting' }
  | { name: 'open' }
  /** Cut, or told to come back later; the next attempt is at `retryAt` (milliseconds since the epoch). */
  | { name: 'waiting'; retryAt: number; retry: 'soon' | 'slowly' }
  /** Over. Only `open()` starts again. `code` is `null` when `refused` gave the reason. */
  | { name: 'closed'; code: number | null; reason: string };

/** Why no attempt will succeed, in words. */
export class Refusal extends Error {}

export interface SocketOptions {
  /** Where to connect; asked before each attempt, as the proof in it works once. A failure counts as a cut, a `Refusal` is final. */
  url(signal: AbortSignal): Promise<string>;
  /** The subprotocol to ask for. */
  protocol: string;
  /** The keep-alive text. */
  ping: string;
  /** What to do after a close code. */
  retry(code: number): Retry;
  /** Asked after an attempt that never opened, because a browser does not tell why: a reason to give up, or `null`. */
  refused(): Promise<string | null>;
  onState(state: SocketState): void;
  onMessage(data: string | ArrayBuffer): void;
  /** Replaced by tests. */
  random?: () => number;
}

export class Socket {
  #options: SocketOptions;
  #state: SocketState = { name: 'closed', code: null, reason: '' };
  #ws: WebSocket | null = null;
  /** Asks for the address of an attempt. */
  #asking: AbortController | null = null;
  #attempt = 0;
  #openedAt = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #pingTimer: ReturnType<typeof setInterval> | undefined;
  /** Ends the attempt, or the wait for an answer to a ping. */
  #deadline: ReturnType<typeof setTimeout> | undefined;
  /** Counts up with each attempt, so that an answer to an earlier one is recognised as stale. */
  #generation = 0;

  constructor(options: SocketOptions) {
    this.#options = options;
  }

  get state(): SocketState {
    return this.#state;
  }

  /** Connects now, whatever went before. */
  open(): void {
    this.#release();
    void this.#connect();
  }

  /**
   * Something suggests that the network works (again): do not wait out a back-off, nor for an attempt that was made before, and
   * look whether the link lives.
   */
  wake(): void {
    if (this.#state.name === 'waiting' || this.#state.name === 'connecting') this.open();
    else this.probe();
  }

  /** Looks whether the link lives. One that does not answer is given up. */
  probe(): void {
    if (this.#state.name !== 'open' || this.#deadline !== undefined || !this.send(this.#options.ping)) return;
    this.#deadline = setTimeout(() => this.abandon(DEAD_LINK), PONG_TIMEOUT);
  }

  /** Sends if the link is open; says whether it was. */
  send(data: string | Uint8Array<ArrayBuffer>): boolean {
    // The other side may be closing already, which is noticed here only when it has.
    if (this.#state.name !== 'open' || this.#ws?.readyState !== WebSocket.OPEN) return false;
    this.#ws.send(data);
    return true;
  }

  /** Gives the link up and makes a new one after a back-off. */
  abandon({ code, reason }: { code: number; reason: string }): void {
    this.#release(code, reason);
    this.#wait('soon');
  }

  /** Closes for good. */
  close({ code, reason }: { code: number; reason: string }): void {
    this.#release(code, reason);
    this.#enter({ name: 'closed', code, reason });
  }

  async #connect(): Promise<void> {
    const generation = ++this.#generation;
    this.#enter({ name: 'connecting' });
    const asking = new AbortController();
    this.#asking = asking;
    this.#deadline = setTimeout(() => this.abandon(DEAD_LINK), CONNECT_TIMEOUT);
    let url: string;
    try {
      url = await this.#options.url(asking.signal);
    } catch (error) {
      if (generation === this.#generation) this.#unasked(error);
      return;
    }
    if (generation !== this.#generation) return;
    const ws = new WebSocket(url, this.#options.protocol);
    this.#ws = ws;
    ws.binaryType = 'arraybuffer';
    ws.onopen = () => this.#opened();
    ws.onmessage = (event: MessageEvent<string | ArrayBuffer>) => {
      this.#clearDeadline();
      this.#options.onMessage(event.data);
    };
    ws.onclose = (event) => void this.#closed(event.code, event.reason);
  }

  /** There is no address to connect to. */
  #unasked(error: unknown): void {
    this.#release();
    if (error instanceof Refusal) this.#enter({ name: 'closed', code: null, reason: error.message });
    else this.#wait('soon');
  }

  #opened(): void {
    this.#clearDeadline();
    this.#openedAt = Date.now();
    this.#pingTimer = setInterval(() => this.probe(), PING_INTERVAL);
    this.#enter({ name: 'open' });
  }

  async #closed(code: number, reason: string): Promise<void> {
    const opened = this.#state.name === 'open';
    this.#release();
    const retry = this.#options.retry(code);
    if (retry === 'never') {
      this.#enter({ name: 'closed', code, reason });
      return;
    }
    if (!opened) {
      const generation = this.#generation;
      const final = await this.#options.refused().catch(() => null);
      if (generation !== this.#generation) return;
      if (final !== null) {
        this.#enter({ name: 'closed', code: null, reason: final });
        return;
      }
    }
    this.#wait(retry);
  }

  #wait(retry: 'soon' | 'slowly'): void {
    if (this.#openedAt > 0 && Date.now() - this.#openedAt >= HEALTHY_SPELL) this.#attempt = 0;
    this.#openedAt = 0;
    const bounds = retry === 'soon' ? SOON : SLOWLY;
    const delay = backoffDelay(this.#attempt++, bounds, this.#options.random ?? Math.random);
    this.#retryTimer = setTimeout(() => void this.#connect(), delay);
    this.#enter({ name: 'waiting', retryAt: Date.now() + delay, retry });
  }

  #clearDeadline(): void {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
  }

  /** Lets go of the link and every timer. A dead link may take minutes to close; nobody waits for it. */
  #release(code?: number, reason?: string): void {
    this.#generation++;
    clearTimeout(this.#retryTimer);
    clearInterval(this.#pingTimer);
    this.#clearDeadline();
    this.#asking?.abort();
    this.#asking = null;
    const ws = this.#ws;
    this.#ws = null;
    if (!ws) return;
    ws.onopen = ws.onmessage = ws.onclose = null;
    if (code !== undefined) ws.close(code, reason);
    else if (ws.readyState < WebSocket.CLOSING) ws.close(DEAD_LINK.code, DEAD_LINK.reason);
  }

  #enter(state: SocketState): void {
    this.#state = state;
    this.#options.onState(state);
  }
}
