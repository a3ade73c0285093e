/**
 * The binary frame of `vsay.stream.v1`: a 16-byte header and a payload (docs/streams.md).
 *
 * Offsets are 64 bits on the wire and plain numbers here. A number is exact up to 2^53, which a terminal reaches after
 * two and a half centuries at 1 MB/s; an offset beyond that is refused.
 */
import { MAX_PAYLOAD } from './limits';

/** What a frame carries. */
export const Kind = { Output: 1, Input: 2, Ack: 3, Credit: 4, Snapshot: 5 } as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

/** Bytes before the payload. */
export const HEADER_LENGTH = 16;

export interface Frame {
  kind: Kind;
  stream: number;
  offset: number;
  /** A view into the received message, not a copy. */
  payload: Uint8Array<ArrayBuffer>;
}

/** Bytes that are not a frame. */
export class FrameError extends Error {
  override name = 'FrameError';
}

/** Encodes a frame. The payload must not be longer than `MAX_PAYLOAD`. */
export function encodeFrame(kind: Kind, stream: number, offset: number, payload?: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_LENGTH + (payload?.length ?? 0));
  const view = new DataView(bytes.buffer);
  view.setUint8(0, kind);
  view.setUint32(4, stream);
  view.setBigUint64(8, BigInt(offset));
  if (payload) bytes.set(payload, HEADER_LENGTH);
  return bytes;
}

/** Decodes a frame, or throws `FrameError` with the reason. */
export function decodeFrame(buffer: ArrayBuffer): Frame {
  if (buffer.byteLength < HEADER_LENGTH) throw new FrameError('a frame has at least 16 bytes');
  if (buffer.byteLength > HEADER_LENGTH + MAX_PAYLOAD) throw new FrameError('a frame carries at most 65536 bytes');
  const view = new DataView(buffer);
  const kind = view.getUint8(0);
  const payload = new Uint8Array(buffer, HEADER_LENGTH);
  if (!isKind(kind)) throw new FrameError(`kind ${kind} is not known`);
  if (!payloadFits(kind, payload.length)) throw new FrameError('the payload does not fit the kind');
  const offset = view.getBigUint64(8);
  if (offset + BigInt(payload.length) > BigInt(Number.MAX_SAFE_INTEGER)) throw new FrameError('the offset is out of range');
  return { kind, stream: view.getUint32(4), offset: Number(offset), payload };
}

function isKind(value: number): value is Kind {
  return value >= Kind.Output && value <= Kind.Snapshot;
}

function payloadFits(kind: Kind, length: number): boolean {
  switch (kind) {
    case Kind.Output:
    case Kind.Input:
      return length > 0;
    case Kind.Ack:
      return length === 0;
    case Kind.Credit:
      return length === 8;
    case Kind.Snapshot:
      return true;
  }
}
