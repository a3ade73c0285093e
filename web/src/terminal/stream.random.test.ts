import { describe, expect, it } from 'vitest';
import { ViewerStream } from './stream';
import { Peer } from './testing/peer';
import { RecordingPort } from './testing/port';
import { Random } from './testing/random';

/** A viewer, a shell, and a network between them that does whatever the generator says. */
class LinkSim {
  readonly peer = new Peer();
  readonly port = new RecordingPort();
  readonly stream = new ViewerStream('0'.repeat(32), { cols: 80, rows: 24 }, this.port);
  readonly typed: number[] = [];
  readonly #random: Random;
  #linked = false;

  constructor(random: Random) {
    this.#random = random;
  }

  /** One thing happens somewhere. */
  step(): void {
    const random = this.#random;
    switch (random.int(0, 9)) {
      case 0:
        return this.peer.write(this.#bytes(2000));
      case 1:
      case 2:
        return this.#type();
      case 3:
        return this.port.draw(random.int(1, 5));
      case 4:
        return this.port.elapse();
      case 5:
        return random.chance(0.3) ? this.#cut() : undefined;
      case 6:
        return random.chance(0.1) ? this.peer.resumeInput() : undefined;
      case 7:
        // The log loses its beginning now and then.
        if (random.chance(0.05)) this.peer.logStart = random.int(this.peer.logStart, this.peer.written.length);
        return;
      case 8:
        return this.#toViewer(random.int(1, 5));
      default:
        return this.#toPeer(random.int(1, 5), random.chance(0.2));
    }
  }

  /** Everything that is under way arrives, on a link that holds. */
  settle(): void {
    this.#cut();
    this.#link();
    for (let i = 0; i < 10_000; i++) {
      this.#toPeer(Infinity, false);
      this.peer.pump();
      this.#toViewer(Infinity);
      this.port.draw();
      this.port.elapse();
      const idle = this.port.sent.length === 0 && this.peer.outbox.length === 0;
      if (idle && this.stream.pendingInput === 0) return;
    }
    throw new Error('did not settle');
  }

  #type(): void {
    const bytes = this.#bytes(50);
    this.typed.push(...bytes);
    this.stream.type(Uint8Array.from(bytes));
  }

  #link(): void {
    this.#linked = true;
    this.stream.opened();
  }

  #cut(): void {
    this.#linked = false;
    this.port.sent.length = 0;
    this.peer.cut();
    this.stream.closed();
  }

  #toViewer(count: number): void {
    if (!this.#linked) return this.#link();
    if (this.#random.chance(0.5)) this.peer.pump();
    for (let i = 0; i < count; i++) {
      const message = this.peer.outbox.shift();
      if (message === undefined) return;
      this.stream.message(message);
    }
  }

  #toPeer(count: number, lose: boolean): void {
    for (let i = 0; i < count; i++) {
      const data = this.port.sent.shift();
      if (data === undefined) return;
      this.peer.receive(data, lose);
    }
    if (lose) this.peer.resumeInput();
  }

  #bytes(most: number): number[] {
    return Array.from({ length: this.#random.int(1, most) }, () => this.#random.int(0, 255));
  }
}

const hex = (bytes: number[]): string => Buffer.from(bytes).toString('hex');

describe('whatever the network does', () => {
  it.each(Array.from({ length: 60 }, (_, seed) => seed))('nothing is lost or repeated (seed %i)', (seed) => {
    const sim = new LinkSim(new Random(seed));
    for (let i = 0; i < 600; i++) sim.step();
    sim.settle();
    expect(sim.port.abandoned).toBe(0);
    // As text, so that a failure shows where and not thousands of numbers.
    expect(hex(sim.peer.typed)).toBe(hex(sim.typed));
    expect(hex(sim.port.screen)).toBe(hex(sim.peer.written));
  });
});
