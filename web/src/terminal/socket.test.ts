import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { backoffDelay, SLOWLY, SOON } from '../backoff';
import { LEFT, retryAfter } from './close';
import { PING } from './messages';
import { CONNECT_TIMEOUT, HEALTHY_SPELL, PING_INTERVAL, PONG_TIMEOUT, Refusal, Socket, type SocketState } from './socket';

/** A WebSocket whose other side is the test. */
class FakeWebSocket {
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static all: FakeWebSocket[] = [];
  readonly sent: unknown[] = [];
  readyState = 0;
  binaryType = 'blob';
  closedWith: [number?, string?] | null = null;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;

  constructor(
    readonly url: string,
    readonly protocol: string,
  ) {
    FakeWebSocket.all.push(this);
  }

  send(data: unknown): void {
    this.sent.push(data);
  }

  close(code?: number, reason?: string): void {
    this.readyState = FakeWebSocket.CLOSING;
    this.closedWith = [code, reason].filter((part) => part !== undefined) as [number, string];
  }

  accept(): void {
    this.readyState = FakeWebSocket.OPEN;
    this.onopen?.();
  }

  bring(data: unknown): void {
    this.onmessage?.({ data });
  }

  fail(code: number, reason = ''): void {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }
}

class Setup {
  readonly states: SocketState[] = [];
  /** When it entered each of them. */
  readonly since: number[] = [];
  readonly messages: unknown[] = [];
  refusal: string | null = null;
  url = (_: AbortSignal): Promise<string> => Promise.resolve('wss://edge.example/ws');
  readonly socket = new Socket({
    url: (signal) => this.url(signal),
    protocol: 'vsay.stream.v1',
    ping: PING,
    retry: retryAfter,
    refused: () => Promise.resolve(this.refusal),
    onState: (state) => {
      this.states.push(state);
      this.since.push(Date.now());
    },
    onMessage: (data) => this.messages.push(data),
    random: () => 1,
  });

  get ws(): FakeWebSocket {
    const last = FakeWebSocket.all.at(-1);
    if (!last) throw new Error('nothing was connected');
    return last;
  }

  get names(): string[] {
    return this.states.map((state) => state.name);
  }

  /** How long it waited last, in milliseconds, and why. The first wait is over at once. */
  get waited(): [number, string] {
    const at = this.states.findLastIndex((state) => state.name === 'waiting');
    const state = this.states[at];
    if (state?.name !== 'waiting') throw new Error('it never waited');
    return [state.retryAt - (this.since[at] ?? 0), state.retry];
  }

  async connect(): Promise<FakeWebSocket> {
    this.socket.open();
    await vi.advanceTimersByTimeAsync(0);
    this.ws.accept();
    return this.ws;
  }
}

beforeEach(() => {
  FakeWebSocket.all = [];
  vi.useFakeTimers();
  vi.stubGlobal('WebSocket', FakeWebSocket);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('the socket', () => {
  it('says what it is doing from the first attempt on', async () => {
    const setup = new Setup();
    const ws = await setup.connect();
    expect(setup.names).toEqual(['connecting', 'open']);
    expect([ws.url, ws.protocol, ws.binaryType]).toEqual(['wss://edge.example/ws', 'vsay.stream.v1', 'arraybuffer']);
    ws.bring('hello');
    expect(setup.messages).toEqual(['hello']);
  });

  it('comes back after a cut, waiting longer each time, up to a cap', async () => {
    const setup = new Setup();
    await setup.connect();
    const waits = [];
    for (let i = 0; i < 8; i++) {
      setup.ws.fail(1006);
      await vi.advanceTimersByTimeAsync(0);
      waits.push(setup.waited[0]);
      await vi.advanceTimersByTimeAsync(setup.waited[0]);
    }
    expect(waits).toEqual([0, 250, 500, 1000, 2000, 4000, 5000, 5000]);
  });

  it('starts with short waits again after a healthy spell', async () => {
    const setup = new Setup();
    await setup.connect();
    for (let i = 0; i < 3; i++) {
      setup.ws.fail(1006);
      await vi.advanceTimersByTimeAsync(SOON.cap);
    }
    setup.ws.accept();
    await vi.advanceTimersByTimeAsync(HEALTHY_SPELL);
    setup.ws.fail(1006);
    await vi.advanceTimersByTimeAsync(0);
    expect(setup.waited).toEqual([SOON.first, 'soon']);
  });

  it.each([1001, 1006, 1011, 1012, 1013])('comes back after close code %i', async (code) => {
    const setup = new Setup();
    const ws = await setup.connect();
    ws.fail(code);
    await vi.advanceTimersByTimeAsync(0);
    expect(setup.waited).toEqual(code === 1013 ? [SLOWLY.first, 'slowly'] : [SOON.first, 'soon']);
  });

  it.each([1000, 1002, 1008, 1009, 4000, 4008, 4009])('is over after close code %i', async (code) => {
    const setup = new Setup();
    const ws = await setup.connect();
    ws.fail(code, 'because');
    expect(setup.socket.state).toEqual({ name: 'closed', code, reason: 'because' });
    await vi.advanceTimersByTimeAsync(SLOWLY.cap);
    expect(FakeWebSocket.all).toHaveLength(1);
  });

  it('asks why when an attempt was refused, and gives up if there is a reason', async () => {
    const setup = new Setup();
    setup.refusal = 'This machine was deleted.';
    setup.socket.open();
    await vi.advanceTimersByTimeAsync(0);
    setup.ws.fail(1006);
    await vi.advanceTimersByTimeAsync(0);
    expect(setup.socket.state).toEqual({ name: 'closed', code: null, reason: 'This machine was deleted.' });
  });

  it('gives up when there is no address to be had, and says why', async () => {
    const setup = new Setup();
    setup.url = () => Promise.reject(new Refusal('This machine was deleted.'));
    setup.socket.open();
    await vi.advanceTimersByTimeAsync(0);
    expect(setup.socket.state).toEqual({ name: 'closed', code: null, reason: 'This machine was deleted.' });
  });

  it('gives up an address that does not come', async () => {
    const setup = new Setup();
    let asked: AbortSignal | null = null;
    setup.url = (signal) => {
      asked ??= signal;
      return new Promise(() => {});
    };
    setup.socket.open();
    await vi.advanceTimersByTimeAsync(CONNECT_TIMEOUT);
    expect(setup.names.slice(0, 2)).toEqual(['connecting', 'waiting']);
    expect(asked).toMatchObject({ aborted: true });
  });

  it('makes an attempt anew that hung while the network was away', async () => {
    const setup = new Setup();
    setup.socket.open();
    await vi.advanceTimersByTimeAsync(0);
    setup.socket.wake();
    await vi.advanceTimersByTimeAsync(0);
    expect(FakeWebSocket.all).toHaveLength(2);
  });

  it('notices a link that swallows what is sent, within five seconds of somebody asking', async () => {
    const setup = new Setup();
    await setup.connect();
    setup.socket.probe();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(setup.names).toContain('waiting');
  });

  it('tries again when the address could not be had', async () => {
    const setup = new Setup();
    setup.url = () => Promise.reject(new Error('offline'));
    setup.socket.open();
    await vi.advanceTimersByTimeAsync(0);
    expect(setup.names.slice(0, 2)).toEqual(['connecting', 'waiting']);
  });

  it('pings an idle link and keeps one that answers', async () => {
    const setup = new Setup();
    const ws = await setup.connect();
    await vi.advanceTimersByTimeAsync(PING_INTERVAL);
    expect(ws.sent).toEqual([PING]);
    ws.bring('{"type":"pong"}');
    await vi.advanceTimersByTimeAsync(PONG_TIMEOUT);
    expect(setup.socket.state.name).toBe('open');
  });

  it('gives up a link that stays silent after a ping, without saying that it left', async () => {
    const setup = new Setup();
    const ws = await setup.connect();
    await vi.advanceTimersByTimeAsync(PING_INTERVAL + PONG_TIMEOUT);
    expect(setup.names).toContain('waiting');
    expect(ws.closedWith?.[0]).not.toBeOneOf([1000, 1001]);
    ws.bring('too late');
    expect(setup.messages).toEqual([]);
  });

  it('gives up an attempt that takes too long', async () => {
    const setup = new Setup();
    setup.socket.open();
    await vi.advanceTimersByTimeAsync(CONNECT_TIMEOUT);
    expect(setup.names).toContain('waiting');
  });

  it('does not wait out a back-off when the network came back', async () => {
    const setup = new Setup();
    const ws = await setup.connect();
    ws.fail(1013);
    await vi.advanceTimersByTimeAsync(0);
    expect(setup.socket.state.name).toBe('waiting');
    setup.socket.wake();
    await vi.advanceTimersByTimeAsync(0);
    expect(setup.socket.state.name).toBe('connecting');
    expect(FakeWebSocket.all).toHaveLength(2);
    setup.ws.accept();
    await vi.advanceTimersByTimeAsync(SLOWLY.cap - PING_INTERVAL);
    expect(FakeWebSocket.all).toHaveLength(2);
  });

  it('looks at once whether an open link lives when the network came back', async () => {
    const setup = new Setup();
    const ws = await setup.connect();
    setup.socket.wake();
    expect(ws.sent).toEqual([PING]);
    await vi.advanceTimersByTimeAsync(PONG_TIMEOUT);
    expect(setup.names).toContain('waiting');
  });

  it('closes for good when told to', async () => {
    const setup = new Setup();
    const ws = await setup.connect();
    setup.socket.close(LEFT);
    expect(ws.closedWith).toEqual([1000, 'User disconnected']);
    await vi.advanceTimersByTimeAsync(SLOWLY.cap);
    expect(FakeWebSocket.all).toHaveLength(1);
    expect(setup.socket.send('x')).toBe(false);
  });

  it('drops an attempt whose address arrives after it was closed', async () => {
    const setup = new Setup();
    setup.socket.open();
    setup.socket.close(LEFT);
    await vi.advanceTimersByTimeAsync(0);
    expect(FakeWebSocket.all).toHaveLength(0);
  });
});

describe('the back-off', () => {
  it('spreads over the whole range, never below the floor and never above the cap', () => {
    expect(backoffDelay(3, SOON, () => 0)).toBe(100);
    expect(backoffDelay(3, SOON, () => 1)).toBe(1000);
    expect(backoffDelay(0, SOON, () => 1)).toBe(0);
    expect(backoffDelay(1000, SOON, () => 1)).toBe(SOON.cap);
  });
});
