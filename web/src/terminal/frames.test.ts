import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeFrame, encodeFrame, FrameError, HEADER_LENGTH, Kind } from './frames';
import { MAX_PAYLOAD } from './limits';

interface Sample {
  name: string;
  kind: 'output' | 'input' | 'ack' | 'credit' | 'snapshot';
  stream: number;
  offset: number;
  payload_hex: string;
  hex: string;
}

const KINDS = { output: Kind.Output, input: Kind.Input, ack: Kind.Ack, credit: Kind.Credit, snapshot: Kind.Snapshot };

/** A sample that the Rust tests read too. */
function fixture<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../../protocol/fixtures/${name}`, import.meta.url), 'utf8')) as T;
}

function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

describe('a binary frame', () => {
  it.each(fixture<Sample[]>('frames.json'))('encodes and decodes $name as the other side does', (sample) => {
    const payload = fromHex(sample.payload_hex);
    const kind = KINDS[sample.kind];
    expect(encodeFrame(kind, sample.stream, sample.offset, payload)).toEqual(fromHex(sample.hex));
    expect(decodeFrame(fromHex(sample.hex).buffer)).toEqual({ kind, stream: sample.stream, offset: sample.offset, payload });
  });

  it.each(fixture<{ name: string; hex: string }[]>('bad_frames.json'))('refuses $name', ({ hex }) => {
    expect(() => decodeFrame(fromHex(hex).buffer)).toThrow(FrameError);
  });

  it('is laid out as documented', () => {
    const frame = encodeFrame(Kind.Output, 0x01020304, 5, new TextEncoder().encode('hi'));
    expect([...frame]).toEqual([1, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 5, 0x68, 0x69]);
  });

  it('carries at most 65536 bytes', () => {
    const frame = encodeFrame(Kind.Output, 1, 0, new Uint8Array(MAX_PAYLOAD));
    expect(decodeFrame(frame.buffer).payload.length).toBe(MAX_PAYLOAD);
    const larger = new Uint8Array(HEADER_LENGTH + MAX_PAYLOAD + 1);
    larger[0] = Kind.Output;
    expect(() => decodeFrame(larger.buffer)).toThrow('at most 65536 bytes');
  });

  it('refuses offsets that a number does not hold exactly', () => {
    const last = encodeFrame(Kind.Ack, 1, Number.MAX_SAFE_INTEGER);
    expect(decodeFrame(last.buffer).offset).toBe(Number.MAX_SAFE_INTEGER);
    last[8] = 1;
    expect(() => decodeFrame(last.buffer)).toThrow('out of range');
  });
});
