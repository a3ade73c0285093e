import { describe, expect, it } from 'vitest';
import { InputLog } from './input';
import { INPUT_WINDOW, MAX_PAYLOAD, MAX_QUEUED_INPUT } from './limits';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (payload: Uint8Array | undefined): string => new TextDecoder().decode(payload);

function sendAll(log: InputLog): { offset: number; text: string }[] {
  const sent = [];
  for (let piece = log.next(); piece; piece = log.next()) sent.push({ offset: piece.offset, text: text(piece.payload) });
  return sent;
}

describe('the input log', () => {
  it('sends what was typed once', () => {
    const log = new InputLog();
    log.push(bytes('ls'));
    log.push(bytes('\r'));
    expect(sendAll(log)).toEqual([{ offset: 0, text: 'ls\r' }]);
    expect(sendAll(log)).toEqual([]);
    log.push(bytes('x'));
    expect(sendAll(log)).toEqual([{ offset: 3, text: 'x' }]);
  });

  it('sends again exactly what did not arrive', () => {
    const log = new InputLog();
    log.push(bytes('abcdef'));
    sendAll(log);
    log.acknowledge(2);
    log.resume(4);
    expect(sendAll(log)).toEqual([{ offset: 4, text: 'ef' }]);
    log.acknowledge(6);
    expect(log.pending).toBe(0);
  });

  it('keeps a window of input on its way and lets the rest wait', () => {
    const log = new InputLog();
    log.push(new Uint8Array(INPUT_WINDOW + 10));
    const sizes = [];
    for (let piece = log.next(); piece; piece = log.next()) sizes.push(piece.payload.length);
    expect(sizes).toEqual([MAX_PAYLOAD, MAX_PAYLOAD, MAX_PAYLOAD, MAX_PAYLOAD]);
    log.acknowledge(4);
    expect(log.next()?.payload.length).toBe(4);
    log.acknowledge(INPUT_WINDOW);
    expect(log.next()?.payload.length).toBe(6);
  });

  it('continues the numbers of the page before a reload', () => {
    const log = new InputLog();
    log.push(bytes('typed early'));
    log.resume(100);
    expect(sendAll(log)).toEqual([{ offset: 100, text: 'typed early' }]);
  });

  it('does not repeat on a new input stream what may have been typed on the old one', () => {
    const log = new InputLog();
    log.push(bytes('sent'));
    sendAll(log);
    log.push(bytes('waiting'));
    log.restart(0);
    expect(sendAll(log)).toEqual([{ offset: 0, text: 'waiting' }]);
  });

  it('ignores an acknowledgement of what was not sent', () => {
    const log = new InputLog();
    log.push(bytes('abc'));
    log.acknowledge(3);
    expect(sendAll(log)).toEqual([{ offset: 0, text: 'abc' }]);
  });

  it('refuses more than it can hold', () => {
    const log = new InputLog();
    expect(log.push(new Uint8Array(MAX_QUEUED_INPUT))).toBe(true);
    expect(log.push(new Uint8Array(1))).toBe(false);
  });
});
