import { describe, expect, it } from 'vitest';
import { decodeFrame, encodeFrame, Kind } from './frames';
import { ACK_BYTES, MAX_PAYLOAD } from './limits';
import type { ToViewer } from './messages';
import { ViewerStream } from './stream';
import { attached } from './testing/peer';
import { RecordingPort } from './testing/port';

const VIEWER = '5f0c2a7be19d4c3e8a6b0d1f2e3c4a5b';
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

class Setup {
  readonly port = new RecordingPort();
  readonly stream = new ViewerStream(VIEWER, { cols: 80, rows: 24 }, this.port);

  say(message: ToViewer): void {
    this.stream.message(JSON.stringify(message));
  }

  output(offset: number, text: string | Uint8Array, kind: Kind = Kind.Output): void {
    const payload = typeof text === 'string' ? bytes(text) : text;
    this.stream.message(encodeFrame(kind, 3, offset, payload).buffer);
  }

  /** What was sent since the last call, readable. */
  sent(): string[] {
    return this.port.sent.splice(0).map((data) => {
      if (typeof data === 'string') return data;
      const frame = decodeFrame(data.buffer);
      const text = new TextDecoder().decode(frame.payload);
      return frame.kind === Kind.Ack
        ? `ack ${frame.stream} ${frame.offset}`
        : `input ${frame.stream} ${frame.offset} ${text}`;
    });
  }

  get screen(): string {
    this.port.draw();
    return new TextDecoder().decode(Uint8Array.from(this.port.screen));
  }
}

function live(facts: Parameters<typeof attached>[0] = {}): Setup {
  const setup = new Setup();
  setup.stream.opened();
  setup.say(attached(facts));
  setup.sent();
  return setup;
}

describe('a viewer stream', () => {
  it('greets as a newcomer with its size', () => {
    const { stream, port } = new Setup();
    stream.opened();
    expect(JSON.parse(port.sent[0] as string)).toEqual({
      type: 'hello',
      protocol: 1,
      viewer: VIEWER,
      received: null,
      commands: true,
      presence: true,
      cols: 80,
      rows: 24,
    });
  });

  it('drops the part of a frame that it has', () => {
    const setup = live();
    setup.output(0, 'abc');
    setup.output(1, 'bcd');
    setup.output(0, 'ab');
    expect(setup.screen).toBe('abcd');
    expect(setup.port.abandoned).toBe(0);
  });

  it('gives a link up that leaves a hole, and asks again from what it has', () => {
    const setup = live();
    setup.output(0, 'abc');
    setup.output(5, 'x');
    expect(setup.port.abandoned).toBe(1);
    expect(setup.screen).toBe('abc');
    setup.stream.opened();
    expect(setup.sent().at(-1)).toContain('"received":3');
  });

  it('gives a link up that brings bytes that are no frame', () => {
    const setup = live();
    setup.stream.message(new ArrayBuffer(3));
    expect(setup.port.abandoned).toBe(1);
  });

  it('acknowledges what was drawn, not what arrived', () => {
    const setup = live();
    setup.output(0, 'abc');
    setup.port.elapse();
    expect(setup.sent()).toEqual([]);
    setup.port.draw();
    expect(setup.sent()).toEqual([]);
    setup.port.elapse();
    expect(setup.sent()).toEqual(['ack 3 3']);
    setup.port.elapse();
    expect(setup.sent()).toEqual([]);
  });

  it('acknowledges at once after 64 KiB', () => {
    const setup = live();
    setup.output(0, new Uint8Array(ACK_BYTES - 1).fill(65));
    setup.output(ACK_BYTES - 1, 'A');
    setup.port.draw();
    expect(setup.sent()).toEqual([`ack 3 ${ACK_BYTES}`]);
    setup.port.elapse();
    expect(setup.sent()).toEqual([]);
  });

  it('does not acknowledge on a new link what the old one still owes a greeting for', () => {
    const setup = live();
    setup.output(0, 'abc');
    setup.port.draw();
    setup.stream.closed();
    setup.port.elapse();
    expect(setup.sent()).toEqual([]);
  });

  it('goes on where the terminal is after a cut', () => {
    const setup = live();
    setup.output(0, 'abc');
    setup.port.draw();
    setup.output(3, 'def');
    setup.stream.closed();
    setup.stream.opened();
    expect(setup.sent()).toEqual([expect.stringContaining('"received":3')]);
    setup.say(attached({ offset: 3, resumed: true }));
    setup.output(3, 'defg');
    expect(setup.screen).toBe('abcdefg');
    expect(setup.port.resets).toBe(1);
  });

  it('may go on drawing while it greets, and acknowledges only what the new link has sent', () => {
    const setup = live();
    setup.output(0, 'abcdef');
    setup.stream.closed();
    setup.stream.opened();
    setup.port.draw();
    setup.say(attached({ offset: 0, resumed: false }));
    expect(setup.port.resets).toBe(2);

    setup.output(0, 'abcdef');
    setup.port.draw(2);
    setup.output(6, 'ghi');
    setup.stream.closed();
    setup.stream.opened();
    setup.sent();
    setup.port.draw();
    setup.say(attached({ offset: 6, resumed: true }));
    setup.port.elapse();
    expect(setup.sent()).toEqual([]);
    setup.output(6, 'gh');
    setup.port.elapse();
    expect(setup.sent()).toEqual(['ack 3 8']);
    expect(setup.screen).toBe('abcdefghi');
  });

  it('starts over when the other side cannot go on where the terminal is', () => {
    const setup = live();
    setup.output(0, 'abc');
    setup.port.draw();
    setup.stream.closed();
    setup.stream.opened();
    setup.say(attached({ offset: 0, resumed: false }));
    setup.output(0, 'xyz');
    expect(setup.screen).toBe('xyz');
  });

  it('is a newcomer again when it was cut before anything was drawn', () => {
    const setup = live();
    setup.stream.closed();
    setup.stream.opened();
    expect(setup.sent()).toEqual([expect.stringContaining('"received":null')]);
  });

  it('draws a snapshot when it is whole and goes on after it', () => {
    const setup = live();
    setup.output(0, 'old');
    setup.say({ type: 'gap', from: 3, to: 1000 });
    setup.say({ type: 'snapshot', offset: 1000, cols: 100, rows: 30 });
    setup.output(1000, new Uint8Array(MAX_PAYLOAD).fill(66), Kind.Snapshot);
    expect(setup.screen).toBe('old');
    setup.output(1000, 'end', Kind.Snapshot);
    setup.output(1000, '!');
    expect(setup.screen).toBe(`${'B'.repeat(MAX_PAYLOAD)}end!`);
    expect(setup.port.history).toHaveLength(MAX_PAYLOAD + 3);
    expect(setup.port.sizes).toEqual([
      { cols: 100, rows: 30 },
      { cols: 80, rows: 24 },
    ]);
    expect(setup.port.events).toContainEqual({ type: 'missing', bytes: 997 });
    setup.port.elapse();
    expect(setup.sent()).toEqual(['ack 3 1001']);
  });

  it('keeps the old screen and place when a snapshot is cut off', () => {
    const setup = live();
    setup.output(0, 'old');
    setup.port.draw();
    setup.say({ type: 'snapshot', offset: 1000, cols: 100, rows: 30 });
    setup.output(1000, new Uint8Array(MAX_PAYLOAD), Kind.Snapshot);
    setup.stream.closed();
    setup.stream.opened();
    expect(setup.sent().at(-1)).toContain('"received":3');
    expect(setup.screen).toBe('old');
  });

  it('takes an empty piece as the end of a snapshot', () => {
    const setup = live();
    setup.say({ type: 'snapshot', offset: 7, cols: 80, rows: 24 });
    setup.output(7, '', Kind.Snapshot);
    setup.output(7, 'x');
    expect(setup.screen).toBe('x');
  });

  it('sends keystrokes typed before the shell was there', () => {
    const setup = new Setup();
    setup.stream.type(bytes('ls\r'));
    setup.stream.opened();
    setup.sent();
    setup.say(attached({ applied: 40 }));
    expect(setup.sent()).toEqual(['input 4 40 ls\r']);
  });

  it('sends again what did not reach the shell', () => {
    const setup = live();
    setup.stream.type(bytes('abcdef'));
    expect(setup.sent()).toEqual(['input 4 0 abcdef']);
    setup.stream.message(encodeFrame(Kind.Ack, 4, 2).buffer);
    setup.say({ type: 'resume_input', applied: 2 });
    expect(setup.sent()).toEqual(['input 4 2 cdef']);
    setup.stream.closed();
    setup.stream.opened();
    setup.sent();
    setup.say(attached({ applied: 5 }));
    expect(setup.sent()).toEqual(['input 4 5 f']);
  });

  it('takes no keystrokes from somebody who only watches, and shows the size there is', () => {
    const setup = live({ can_type: false, cols: 132, rows: 50 });
    expect(setup.stream.type(bytes('x'))).toBe(false);
    expect(setup.sent()).toEqual([]);
    expect(setup.port.sizes).toEqual([{ cols: 132, rows: 50 }]);
  });

  it('says its size when it changed, and draws at that size while nobody else sets it', () => {
    const setup = live();
    setup.stream.resize({ cols: 80, rows: 24 });
    expect(setup.sent()).toEqual([]);
    setup.stream.resize({ cols: 100, rows: 30 });
    expect(setup.sent()).toEqual(['{"type":"resize","cols":100,"rows":30}']);
    expect(setup.port.sizes).toEqual([{ cols: 100, rows: 30 }]);
  });

  it('draws at the size of somebody else, goes on saying its own, and has it back when that is the size', () => {
    const setup = live();
    setup.say({ type: 'resized', cols: 60, rows: 20, by: 'bob' });
    expect(setup.port.sizes).toEqual([{ cols: 60, rows: 20 }]);
    expect(setup.port.events.at(-1)).toEqual({ type: 'sized', own: false, by: 'bob' });
    setup.stream.resize({ cols: 100, rows: 30 });
    expect(setup.sent()).toEqual(['{"type":"resize","cols":100,"rows":30}']);
    expect(setup.port.sizes).toHaveLength(1);
    setup.say({ type: 'resized', cols: 100, rows: 30, by: 'ada' });
    expect(setup.port.sizes.at(-1)).toEqual({ cols: 100, rows: 30 });
    expect(setup.port.events.at(-1)).toEqual({ type: 'sized', own: true, by: 'ada' });
  });

  it('comes to a terminal that has the size of somebody else', () => {
    const setup = live({ cols: 132, rows: 50, sized_by: 'bob' });
    expect(setup.port.sizes).toEqual([{ cols: 132, rows: 50 }]);
    expect(setup.port.events).toContainEqual({ type: 'sized', own: false, by: 'bob' });
  });

  it('says at once which size its window got while it was greeted', () => {
    const setup = new Setup();
    setup.stream.opened();
    setup.stream.resize({ cols: 90, rows: 40 });
    setup.sent();
    setup.say(attached());
    expect(setup.sent()).toEqual(['{"type":"resize","cols":90,"rows":40}']);
    expect(setup.port.sizes).toEqual([{ cols: 90, rows: 40 }]);
  });

  it('tells what happened', () => {
    const setup = live();
    setup.say({ type: 'agent', online: false });
    setup.say({ type: 'exit', code: 3, signal: null });
    setup.say({ type: 'disconnect', reason: 'Session ended', code: 'session_ended' });
    expect(setup.port.events).toEqual([
      { type: 'sized', own: true, by: null },
      { type: 'attached', canType: true, resumed: false },
      { type: 'agent', online: false },
      { type: 'exit', exit: { code: 3, signal: null } },
      { type: 'disconnect', reason: 'Session ended', code: 'session_ended' },
    ]);
  });
});
