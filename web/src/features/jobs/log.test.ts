// @vitest-environment happy-dom
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from '../../api/error';
import { listJobs, readLog } from './api';
import { followLog } from './log';

/** What was asked, and in which parts that is answered; there before the client, which takes `fetch` when it is made. */
const edge = vi.hoisted(() => {
  const edge = { asked: [] as string[], parts: [] as Uint8Array<ArrayBuffer>[] };
  vi.stubGlobal('fetch', async (request: Request) => {
    const url = new URL(request.url);
    edge.asked.push(`${request.method} ${url.pathname}${url.search}`);
    const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start(controller) {
        for (const part of edge.parts) controller.enqueue(part);
        controller.close();
      },
    });
    return new Response(stream);
  });
  return edge;
});
const { asked } = edge;

function answering(...parts: Uint8Array<ArrayBuffer>[]): void {
  edge.parts = parts;
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

afterEach(() => {
  vi.useRealTimers();
  asked.splice(0);
});

describe('jobs', () => {
  it('are listed in pages, as far as somebody asks for', async () => {
    answering(bytesOf('{"jobs":[],"total":0}'));
    await listJobs({ service: 'web', status: '', username: '', page: 2, limit: 25 }, new AbortController().signal);
    expect(asked).toEqual(['GET /api/jobs?service=web&page=2&per_page=25']);
  });
});

describe('what a job writes', () => {
  it('is read line by line, but for one that may not be all there, until it is over', async () => {
    vi.useFakeTimers();
    const lines: string[] = [];
    const saying = (status: string, ...output: string[]): void => answering(bytesOf(JSON.stringify({ status, output })));
    saying('running', 'one', 'tw');
    const read = readLog('0a1b2c3d', (line) => lines.push(line), new AbortController().signal);
    await vi.advanceTimersByTimeAsync(500);
    expect(lines).toEqual(['one']);
    saying('completed', 'one', 'two', 'three');
    await vi.advanceTimersByTimeAsync(1000);
    expect(await read).toBe(true);
    expect(lines).toEqual(['one', 'two', 'three']);
    expect(asked).toEqual(['GET /api/jobs/0a1b2c3d', 'GET /api/jobs/0a1b2c3d']);
  });

  /** Follows a log whose attempts read these lines, and end so. */
  function following(attempts: { lines: string[]; ends: boolean | Error }[]) {
    vi.useFakeTimers();
    const seen = { lines: [] as string[], done: 0, failed: null as string | null };
    const events = {
      onLines: (lines: readonly string[]) => void seen.lines.push(...lines),
      onDone: () => void seen.done++,
      onFailed: (words: string | null) => void Object.assign(seen, { failed: words }),
    };
    const stop = followLog('0a1b2c3d', events, async (_, take) => {
      const { lines, ends } = attempts.shift() ?? { lines: [], ends: true };
      for (const line of lines) take(line);
      if (typeof ends !== 'boolean') throw ends;
      return ends;
    });
    return { seen, stop };
  }

  it('goes on after a cut without a line twice', async () => {
    const { seen, stop } = following([
      { lines: ['one', 'two'], ends: false },
      { lines: [], ends: new ApiError('The server cannot be reached.', 0) },
      { lines: ['one', 'two', 'three'], ends: true },
    ]);
    await vi.runAllTimersAsync();
    expect(seen).toEqual({ lines: ['one', 'two', 'three'], done: 1, failed: null });
    stop();
  });

  it('is given up where it is refused, with why', async () => {
    const { seen, stop } = following([
      { lines: [], ends: new ApiError('Permission denied.', 403) },
      { lines: ['never'], ends: true },
    ]);
    await vi.runAllTimersAsync();
    expect(seen).toEqual({ lines: [], done: 0, failed: 'Permission denied.' });
    stop();
  });

  it('is of no interest to whoever has left', async () => {
    const { seen, stop } = following([{ lines: ['one'], ends: true }]);
    stop();
    await vi.runAllTimersAsync();
    expect(seen).toEqual({ lines: [], done: 0, failed: null });
  });
});
