/** A real shell behind the relay's protocol, as far as one viewer after the other needs it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WebSocket } from 'ws';
import { decodeFrame, encodeFrame, Kind } from '../../../src/terminal/frames';
import { MAX_PAYLOAD } from '../../../src/terminal/limits';
import type { FromViewer, Size, ToViewer } from '../../../src/terminal/messages';

/** An empty home: nothing of the account's that runs the tests. */
const home = mkdtempSync(join(tmpdir(), 'vsay-home-'));
process.on('exit', () => rmSync(home, { recursive: true, force: true }));

const STREAM = 1;
const INPUT = 2;

export class Shell {
  /** Sizes that viewers asked for, the newest last. */
  readonly sizes: Size[] = [];
  readonly #process: ChildProcess;
  readonly #sockets = new Set<WebSocket>();
  /** Those that may not type. */
  readonly #watchers = new WeakSet<WebSocket>();
  #log: Buffer = Buffer.alloc(0);
  #applied = 0;
  #exit: { code: number | null; signal: string | null } | null = null;

  constructor(readonly sessionId: string) {
    // `script` gives the shell a terminal without a native module.
    this.#process = spawn('script', ['-qfec', 'bash --noprofile --norc -i', '/dev/null'], {
      env: {
        PATH: process.env.PATH,
        TERM: 'xterm-256color',
        LANG: 'C.UTF-8',
        PS1: '$ ',
        HOME: home,
        INPUTRC: '/dev/null',
        HISTFILE: '',
      },
    });
    this.#process.stdout?.on('data', (bytes: Buffer) => this.#wrote(bytes));
    this.#process.on('exit', (code, signal) => {
      this.#exit = { code, signal };
      for (const socket of this.#sockets) this.#finish(socket);
    });
  }

  get over(): boolean {
    return this.#exit !== null;
  }

  attach(socket: WebSocket, online: boolean, canType = true): void {
    if (!canType) this.#watchers.add(socket);
    socket.on('message', (data: Buffer, binary) => {
      if (binary) this.#frame(socket, data, online);
      else this.#control(socket, JSON.parse(data.toString()) as FromViewer, online);
    });
    socket.on('close', () => this.#sockets.delete(socket));
  }

  /** Nothing that a viewer sends arrives any more, and nobody says so. */
  swallow(): void {
    for (const socket of this.#sockets) socket.removeAllListeners('message');
  }

  /** Closes the links as a relay would; with 1006 they break without a word. */
  drop(code: number, reason = ''): void {
    for (const socket of this.#sockets) {
      if (code === 1006) socket.terminate();
      else socket.close(code, reason);
    }
    this.#sockets.clear();
  }

  say(message: ToViewer): void {
    for (const socket of this.#sockets) socket.send(JSON.stringify(message));
  }

  end(): void {
    this.drop(4008, 'Session terminated');
    this.#process.kill('SIGKILL');
  }

  #wrote(bytes: Buffer): void {
    for (const socket of this.#sockets) this.#output(socket, this.#log.length, bytes);
    this.#log = Buffer.concat([this.#log, bytes]);
  }

  #output(socket: WebSocket, offset: number, bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += MAX_PAYLOAD) {
      socket.send(encodeFrame(Kind.Output, STREAM, offset + at, bytes.subarray(at, at + MAX_PAYLOAD)));
    }
  }

  #control(socket: WebSocket, message: FromViewer, online: boolean): void {
    if (message.type === 'ping') return socket.send('{"type":"pong"}');
    this.sizes.push({ cols: message.cols, rows: message.rows });
    if (message.type !== 'hello') return;
    this.#sockets.add(socket);
    if (!online) return socket.send(JSON.stringify({ type: 'agent', online: false }));
    const offset = message.received ?? 0;
    const attached: ToViewer = {
      type: 'attached',
      protocol: 1,
      session_id: this.sessionId,
      stream: STREAM,
      input: INPUT,
      applied: this.#applied,
      offset,
      end: this.#log.length,
      cols: message.cols,
      rows: message.rows,
      can_type: !this.#watchers.has(socket),
      resumed: message.received !== null,
    };
    socket.send(JSON.stringify(attached));
    this.#output(socket, offset, this.#log.subarray(offset));
    if (this.#exit) this.#finish(socket);
  }

  #frame(socket: WebSocket, data: Buffer, online: boolean): void {
    const { kind, offset, payload } = decodeFrame(Uint8Array.from(data).buffer);
    if (kind !== Kind.Input || !online || offset > this.#applied || this.#watchers.has(socket)) return;
    const fresh = payload.subarray(this.#applied - offset);
    this.#applied += fresh.length;
    this.#process.stdin?.write(fresh);
    socket.send(encodeFrame(Kind.Ack, INPUT, this.#applied));
  }

  #finish(socket: WebSocket): void {
    const { code, signal } = this.#exit ?? { code: null, signal: null };
    socket.send(JSON.stringify({ type: 'exit', code, signal }));
    socket.close(1000, 'Session ended');
  }
}
