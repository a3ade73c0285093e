/**
 * A viewer's half of the lossless stream (docs/streams.md): which bytes the terminal has, which it still needs, which
 * keystrokes arrived. It owns no socket, no terminal and no clock; everything it wants done goes through its port.
 */
import { decodeFrame, encodeFrame, type Frame, FrameError, Kind } from './frames';
import { InputLog } from './input';
import { ACK_BYTES, ACK_DELAY_MS, MAX_PAYLOAD, MAX_SNAPSHOT } from './limits';
import {
  type Attached,
  type CommandEnded,
  type CommandRunning,
  decodeMessage,
  type Exit,
  encodeMessage,
  type Person,
  PROTOCOL,
  type Size,
  type ToViewer,
} from './messages';

/** What happened, for whoever shows the terminal's state. */
export type StreamEvent =
  | { type: 'attached'; canType: boolean; resumed: boolean }
  /** The terminal has the size of this window (`own`), or of somebody's, if the relay says whose. */
  | { type: 'sized'; own: boolean; by: string | null }
  | { type: 'agent'; online: boolean }
  | { type: 'missing'; bytes: number }
  /** A command without a terminal runs on the machine, or has ended there. */
  | { type: 'command'; command: CommandRunning | CommandEnded }
  /** Who is at the terminal now, this person included. */
  | { type: 'presence'; people: Person[] }
  | { type: 'exit'; exit: Exit }
  | { type: 'refused'; error: string }
  | { type: 'disconnect'; reason: string; code: string };

export interface StreamPort {
  /** Sends on the socket, if there is one. */
  send(data: string | Uint8Array<ArrayBuffer>): void;
  /** Gives bytes to the terminal, which calls back when it has drawn them. History is drawn and does nothing else. */
  write(bytes: Uint8Array, history: boolean, consumed: () => void): void;
  /** Clears the terminal, after everything written before. */
  reset(): void;
  /** Gives the terminal a size, after everything written before. */
  resize(size: Size): void;
  /** Gives the link up because what it brings makes no sense; a new one starts from what the terminal has. */
  abandon(): void;
  /** Calls back once; returns how to cancel. */
  after(milliseconds: number, run: () => void): () => void;
  event(event: StreamEvent): void;
}

export class ViewerStream {
  readonly #viewer: string;
  readonly #port: StreamPort;
  readonly #input = new InputLog();
  /** The size of this window, which is what the relay is told. The terminal's may be another's. */
  #size: Size;
  /** What the relay was told last. */
  #told: Size;
  /** The terminal has the size of this window, and follows it. */
  #own = true;
  /** At which size it is drawn. */
  #shown: Size;
  /** The link's streams, while attached. */
  #attached: { stream: number; input: number } | null = null;
  /** The input stream of the link before, whose unacknowledged bytes may be sent again. */
  #lastInput: number | null = null;
  #canType = true;
  /** Nothing was drawn yet: a link that is cut now starts as a newcomer's again. */
  #newcomer = true;
  /** Output before this went to the terminal. */
  #received = 0;
  /** What the greeting asked for. The terminal goes on drawing while it waits for the answer. */
  #asked: number | null = null;
  /** Output before this was drawn. */
  #consumed = 0;
  #acked = 0;
  /** Output before this was sent on this link; more must not be acknowledged on it, even if it was drawn. */
  #reached = 0;
  #cancelAck: (() => void) | null = null;
  /** The snapshot that is arriving. */
  #snapshot: { offset: number; at: Size; pieces: Uint8Array[]; size: number } | null = null;
  /** Counts up when the terminal starts over, so that what it drew before is not acknowledged as something else. */
  #epoch = 0;

  constructor(viewer: string, size: Size, port: StreamPort) {
    this.#viewer = viewer;
    this.#size = size;
    this.#told = size;
    this.#shown = size;
    this.#port = port;
  }

  /** Input that has not reached the shell, in bytes. */
  get pendingInput(): number {
    return this.#input.pending;
  }

  /** A link stands. */
  opened(): void {
    this.closed();
    const received = this.#newcomer ? null : this.#consumed;
    this.#asked = received;
    this.#told = this.#size;
    const viewer = this.#viewer;
    const hello = { type: 'hello', protocol: PROTOCOL, viewer, received, commands: true, presence: true } as const;
    this.#port.send(encodeMessage({ ...hello, ...this.#size }));
  }

  /** The link is gone. */
  closed(): void {
    this.#attached = null;
    this.#snapshot = null;
    this.#cancelAck?.();
    this.#cancelAck = null;
  }

  /** A frame arrived. */
  message(data: string | ArrayBuffer): void {
    if (typeof data === 'string') {
      const message = decodeMessage(data);
      if (message) this.#control(message);
      return;
    }
    try {
      this.#binary(decodeFrame(data));
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#port.abandon();
    }
  }

  /** The person typed. `false` if that cannot be taken: no right to type, or too much waits already. */
  type(bytes: Uint8Array): boolean {
    if (!this.#canType || !this.#input.push(bytes)) return false;
    this.#sendInput();
    return true;
  }

  /** The person's window has this size now. */
  resize(size: Size): void {
    if (same(size, this.#size)) return;
    this.#size = size;
    this.#tellSize();
    if (this.#own) this.#draw(size);
  }

  #draw(size: Size): void {
    if (same(size, this.#shown)) return;
    this.#shown = size;
    this.#port.resize(size);
  }

  #tellSize(): void {
    if (!this.#attached || same(this.#told, this.#size)) return;
    this.#told = this.#size;
    this.#port.send(encodeMessage({ type: 'resize', ...this.#size }));
  }

  #control(message: ToViewer): void {
    switch (message.type) {
      case 'attached':
        return this.#attach(message);
      case 'agent':
        return this.#port.event({ type: 'agent', online: message.online });
      case 'resume_input':
        this.#input.resume(message.applied);
        return this.#sendInput();
      case 'snapshot':
        this.#snapshot = { offset: message.offset, at: { cols: message.cols, rows: message.rows }, pieces: [], size: 0 };
        return;
      case 'gap':
        return this.#port.event({ type: 'missing', bytes: message.to - message.from });
      case 'resized':
        return this.#follow(message, message.by ?? null);
      case 'command_running':
      case 'command_ended':
        return this.#port.event({ type: 'command', command: message });
      case 'presence':
        return this.#port.event({ type: 'presence', people: message.people });
      case 'exit':
        return this.#port.event({ type: 'exit', exit: { code: message.code, signal: message.signal } });
      case 'error':
        return this.#port.event({ type: 'refused', error: message.error });
      case 'disconnect':
        return this.#port.event({ type: 'disconnect', reason: message.reason, code: message.code });
      case 'pong':
        return;
    }
  }

  #attach(message: Attached): void {
    const resumed = message.resumed && message.offset === this.#asked;
    if (!resumed) {
      this.#newcomer = true;
      this.#startOver(message.offset);
    }
    this.#acked = message.offset;
    this.#reached = message.offset;
    this.#canType = message.can_type;
    this.#attached = { stream: message.stream, input: message.input };
    // A page that was loaded again finds the input stream of the page before it, and continues its numbers.
    if (this.#lastInput === null || this.#lastInput === message.input) this.#input.resume(message.applied);
    else this.#input.restart(message.applied);
    this.#lastInput = message.input;
    this.#follow(message, message.sized_by ?? null);
    this.#port.event({ type: 'attached', canType: message.can_type, resumed });
    this.#sendInput();
  }

  /**
   * The terminal is drawn at the size that it has, whatever room there is here. Who sets it is told what it said, which may be
   * less than it has said since.
   */
  #follow({ cols, rows }: Size, by: string | null): void {
    const size = { cols, rows };
    this.#own = this.#canType && (same(size, this.#size) || same(size, this.#told));
    this.#draw(this.#own ? this.#size : size);
    this.#port.event({ type: 'sized', own: this.#own, by });
    this.#tellSize();
  }

  #binary(frame: Frame): void {
    const attached = this.#attached;
    // Bytes that were on their way when the link was given up.
    if (!attached) return;
    if (frame.kind === Kind.Ack && frame.stream === attached.input) {
      this.#input.acknowledge(frame.offset);
      this.#sendInput();
    } else if (frame.kind === Kind.Output && frame.stream === attached.stream) {
      this.#output(frame);
    } else if (frame.kind === Kind.Snapshot && frame.stream === attached.stream) {
      this.#takeSnapshot(frame);
    } else {
      this.#port.abandon();
    }
  }

  #output({ offset, payload }: Frame): void {
    if (offset > this.#received) return this.#port.abandon();
    this.#reached = Math.max(this.#reached, offset + payload.length);
    const fresh = payload.subarray(this.#received - offset);
    if (fresh.length > 0) this.#write(fresh, this.#received);
    else this.#acknowledgeSoon();
  }

  #write(bytes: Uint8Array, at: number): void {
    const end = at + bytes.length;
    const epoch = this.#epoch;
    this.#newcomer = false;
    this.#received = end;
    this.#port.write(bytes, false, () => {
      if (epoch === this.#epoch) this.#drawn(end);
    });
  }

  /**
   * Pieces are kept until the snapshot is whole: a cut in between leaves the old screen and the old place. It is drawn at
   * the size it was made for, and takes ours like any other text.
   */
  #takeSnapshot({ offset, payload }: Frame): void {
    const snapshot = this.#snapshot;
    if (!snapshot || snapshot.offset !== offset) return this.#port.abandon();
    snapshot.pieces.push(payload);
    snapshot.size += payload.length;
    if (snapshot.size > MAX_SNAPSHOT) return this.#port.abandon();
    if (payload.length === MAX_PAYLOAD) return;
    this.#snapshot = null;
    this.#newcomer = false;
    this.#startOver(offset);
    this.#port.resize(snapshot.at);
    for (const piece of snapshot.pieces) this.#port.write(piece, true, () => {});
    this.#port.resize(this.#size);
  }

  #startOver(offset: number): void {
    this.#epoch++;
    this.#received = offset;
    this.#consumed = offset;
    this.#acked = offset;
    this.#reached = offset;
    this.#port.reset();
  }

  #drawn(offset: number): void {
    this.#consumed = offset;
    this.#acknowledgeSoon();
  }

  #acknowledgeSoon(): void {
    const owed = this.#consumedHere() - this.#acked;
    if (!this.#attached || owed <= 0) return;
    if (owed >= ACK_BYTES) this.#acknowledge();
    else this.#cancelAck ??= this.#port.after(ACK_DELAY_MS, () => this.#acknowledge());
  }

  #acknowledge(): void {
    this.#cancelAck?.();
    this.#cancelAck = null;
    if (!this.#attached) return;
    this.#acked = this.#consumedHere();
    this.#port.send(encodeFrame(Kind.Ack, this.#attached.stream, this.#acked));
  }

  #consumedHere(): number {
    return Math.min(this.#consumed, this.#reached);
  }

  #sendInput(): void {
    if (!this.#attached) return;
    for (let piece = this.#input.next(); piece; piece = this.#input.next()) {
      this.#port.send(encodeFrame(Kind.Input, this.#attached.input, piece.offset, piece.payload));
    }
  }
}

function same(one: Size, other: Size): boolean {
  return one.cols === other.cols && one.rows === other.rows;
}
