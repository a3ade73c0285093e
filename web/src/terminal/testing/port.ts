/** A port that records what a stream wants done, and draws when the test says so. */
import type { Size } from '../messages';
import type { StreamEvent, StreamPort } from '../stream';

export class RecordingPort implements StreamPort {
  readonly sent: (string | Uint8Array<ArrayBuffer>)[] = [];
  readonly events: StreamEvent[] = [];
  readonly sizes: Size[] = [];
  /** What is on the screen: everything drawn since it was cleared. */
  screen: number[] = [];
  /** The part of it that was history. */
  history: number[] = [];
  abandoned = 0;
  resets = 0;
  readonly #steps: (() => void)[] = [];
  #timers: (() => void)[] = [];

  send(data: string | Uint8Array<ArrayBuffer>): void {
    this.sent.push(data);
  }

  write(bytes: Uint8Array, history: boolean, consumed: () => void): void {
    const copy = [...bytes];
    this.#steps.push(() => {
      this.screen.push(...copy);
      if (history) this.history.push(...copy);
      consumed();
    });
  }

  reset(): void {
    this.resets++;
    this.#steps.push(() => {
      this.screen = [];
      this.history = [];
    });
  }

  resize(size: Size): void {
    this.sizes.push(size);
  }

  abandon(): void {
    this.abandoned++;
  }

  after(_: number, run: () => void): () => void {
    this.#timers.push(run);
    return () => {
      this.#timers = this.#timers.filter((timer) => timer !== run);
    };
  }

  event(event: StreamEvent): void {
    this.events.push(event);
  }

  /** The terminal works through the next `count` things it was given. */
  draw(count = Infinity): void {
    for (let i = 0; i < count; i++) {
      const step = this.#steps.shift();
      if (!step) return;
      step();
    }
  }

  /** Time passes: every timer runs. */
  elapse(): void {
    const timers = this.#timers;
    this.#timers = [];
    for (const run of timers) run();
  }
}
