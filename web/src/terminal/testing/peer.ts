/**
 * The other side of a viewer, for tests: a shell with its log, and a relay that keeps a viewer's place, in one object
 * without sockets. It follows docs/streams.md and complains about a viewer that does not.
 */
import { decodeFrame, encodeFrame, Kind } from '../frames';
import { MAX_PAYLOAD } from '../limits';
import type { Attached, FromViewer, ToViewer } from '../messages';

const STREAM = 3;
const INPUT = 4;

/** How far output may run ahead of what the viewer acknowledged, in bytes. Small, so that tests meet it. */
const WINDOW = 4096;

export class Peer {
  /** All the shell ever wrote. */
  readonly written: number[] = [];
  /** All that was typed into it. */
  readonly typed: number[] = [];
  /** The first offset still in the log. */
  logStart = 0;
  /** Messages on their way to the viewer. */
  readonly outbox: (string | ArrayBuffer)[] = [];
  #next: number | null = null;
  #acked = 0;

  /** The shell writes. */
  write(bytes: number[]): void {
    this.written.push(...bytes);
    this.pump();
  }

  /** The link was cut. */
  cut(): void {
    this.outbox.length = 0;
    this.#next = null;
  }

  /** The machine's link was made again: what was on its way to it is lost. */
  resumeInput(): void {
    if (this.#next !== null) this.say({ type: 'resume_input', applied: this.typed.length });
  }

  /** Something from the viewer. `lose` is what the machine's own link does to keystrokes. */
  receive(data: string | Uint8Array<ArrayBuffer>, lose: boolean): void {
    if (typeof data === 'string') return this.#control(JSON.parse(data) as FromViewer);
    const { kind, stream, offset, payload } = decodeFrame(data.buffer);
    if (this.#next === null) throw new Error('a frame before attached');
    if (kind === Kind.Ack && stream === STREAM) {
      if (offset > this.#next) throw new Error('acknowledged what was not sent');
      // An older one may have been under way while a snapshot was sent.
      this.#acked = Math.max(this.#acked, offset);
    } else if (kind === Kind.Input && stream === INPUT) {
      if (!lose && offset <= this.typed.length) this.typed.push(...payload.subarray(this.typed.length - offset));
      this.outbox.push(encodeFrame(Kind.Ack, INPUT, this.typed.length).buffer);
    } else {
      throw new Error(`unexpected frame of kind ${kind}`);
    }
    this.pump();
  }

  say(message: ToViewer): void {
    this.outbox.push(JSON.stringify(message));
  }

  /** Sends what there is and the window allows. */
  pump(): void {
    while (this.#next !== null && this.#next < this.written.length && this.#next - this.#acked < WINDOW) {
      if (this.#next < this.logStart) {
        this.say({ type: 'gap', from: this.#next, to: this.written.length });
        this.#sendSnapshot();
        continue;
      }
      const bytes = this.written.slice(this.#next, this.#next + 700);
      this.outbox.push(encodeFrame(Kind.Output, STREAM, this.#next, Uint8Array.from(bytes)).buffer);
      this.#next += bytes.length;
    }
  }

  #control(message: FromViewer): void {
    if (message.type !== 'hello') return;
    const resumed = message.received !== null;
    const offset = message.received ?? 0;
    this.#next = this.#acked = offset;
    this.say(attached({ applied: this.typed.length, offset, resumed }));
    if (!resumed && this.logStart > 0) this.#sendSnapshot();
    // Output follows later: it may have to be fetched from the machine first.
  }

  /** The snapshot of a screen: here, all that was written, so that a test can compare. */
  #sendSnapshot(): void {
    const offset = this.written.length;
    this.say({ type: 'snapshot', offset, cols: 80, rows: 24 });
    for (let at = 0; at <= offset; at += MAX_PAYLOAD) {
      const piece = Uint8Array.from(this.written.slice(at, at + MAX_PAYLOAD));
      this.outbox.push(encodeFrame(Kind.Snapshot, STREAM, offset, piece).buffer);
    }
    this.#next = this.#acked = offset;
  }
}

/** An `attached` message with the given facts. */
export function attached(facts: Partial<Attached> = {}): Attached {
  return {
    type: 'attached',
    protocol: 1,
    session_id: 'session_1_abc',
    stream: STREAM,
    input: INPUT,
    applied: 0,
    offset: 0,
    end: 0,
    cols: 80,
    rows: 24,
    can_type: true,
    resumed: false,
    ...facts,
  };
}
