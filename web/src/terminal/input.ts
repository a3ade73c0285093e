/**
 * What was typed and has not reached the shell yet. Bytes are numbered from the start of the input stream; the relay says
 * up to where they were applied, and everything after that can be sent again.
 */
import { INPUT_WINDOW, MAX_PAYLOAD, MAX_QUEUED_INPUT } from './limits';

export interface InputPiece {
  offset: number;
  payload: Uint8Array;
}

export class InputLog {
  /** Holds the bytes from `#applied` on, at index `#head`. */
  #bytes = new Uint8Array(1024);
  #head = 0;
  #tail = 0;
  #applied = 0;
  #sent = 0;

  /** Bytes that have not reached the shell. */
  get pending(): number {
    return this.#tail - this.#head;
  }

  /** Takes bytes. `false`, and nothing taken, if too much waits already. */
  push(bytes: Uint8Array): boolean {
    if (this.pending + bytes.length > MAX_QUEUED_INPUT) return false;
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#tail);
    this.#tail += bytes.length;
    return true;
  }

  /** The next bytes to send, if the window has room. They count as sent. */
  next(): InputPiece | null {
    const end = this.#applied + this.pending;
    const until = Math.min(end, this.#applied + INPUT_WINDOW, this.#sent + MAX_PAYLOAD);
    if (until <= this.#sent) return null;
    const offset = this.#sent;
    const at = this.#head + offset - this.#applied;
    this.#sent = until;
    return { offset, payload: this.#bytes.slice(at, at + until - offset) };
  }

  /** Everything before `offset` reached the shell. */
  acknowledge(offset: number): void {
    if (offset > this.#applied && offset <= this.#sent) this.#drop(offset - this.#applied);
  }

  /** Everything before `applied` reached the shell; what was sent after it did not and is sent again. */
  resume(applied: number): void {
    const skip = applied - this.#applied;
    // Outside of what we hold, the other side counts from elsewhere: our bytes are new to it.
    if (skip >= 0 && skip <= this.pending) this.#drop(skip);
    this.#applied = applied;
    this.#sent = applied;
  }

  /** A different input stream, at `applied`. What was sent on the old one may have been typed and is not repeated. */
  restart(applied: number): void {
    this.#drop(this.#sent - this.#applied);
    this.#applied = applied;
    this.#sent = applied;
  }

  #drop(count: number): void {
    this.#head += count;
    this.#applied += count;
    this.#sent = Math.max(this.#sent, this.#applied);
    if (this.#head === this.#tail) this.#head = this.#tail = 0;
  }

  #reserve(count: number): void {
    if (this.#tail + count <= this.#bytes.length) return;
    const pending = this.#bytes.subarray(this.#head, this.#tail);
    const room = pending.length + count;
    const target = room * 2 <= this.#bytes.length ? this.#bytes : new Uint8Array(room * 2);
    target.set(pending);
    this.#tail -= this.#head;
    this.#head = 0;
    this.#bytes = target;
  }
}
