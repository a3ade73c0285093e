/** The live channel of the edge of tests. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';

/** Tests change things without a word: unless one says `quiet`, those who listen are told so often that anything may have changed. */
const EVERY = 500;

const ALL = ['machines', 'figures', 'sessions', 'commands', 'activity'];

export class LiveChannel {
  /** Nobody is told anything but what the test tells. */
  quiet = false;
  readonly #sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'vsay.live.v1' });
  readonly #timer = setInterval(() => !this.quiet && this.tell(ALL), EVERY);

  get listeners(): number {
    return this.#sockets.clients.size;
  }

  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#sockets.handleUpgrade(request, socket, head, () => {});
  }

  tell(changed: string[]): void {
    for (const client of this.#sockets.clients) client.send(JSON.stringify({ changed }));
  }

  /** Cuts everybody off. */
  cut(): void {
    for (const client of this.#sockets.clients) client.terminate();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.cut();
  }
}
