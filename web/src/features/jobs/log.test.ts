// @vitest-environment happy-dom
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from '../../api/error';
import { cancelJob, listJobs, readLog, rerunJob } from './api';
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

  it('are called off', async () => {
    answering(bytesOf('{"job_id":"0a1b2c3d","status":"cancelled"}'));
    await cancelJob('0a1b2c3d');
    expect(asked).toEqual(['DELETE /api/jobs/0a1b2c3d']);
  });

  it('are run again', async () => {
    answering(bytesOf('{"job_id":"ffffffff","status":"running"}'));
    expect(await rerunJob('0a1b2c3d')).toBe('ffffffff');
    expect(asked).toEqual(['POST /api/jobs/0a1b2c3d/rerun']);
  });
});

describe('what a job writes', () => {
  it('is read as it comes, wherever it is cut', async () => {
    const text =
      'data: grün\r\n\r\ndata:  two\r\n\r\ndata: \r\n\r\n: still here\r\n\r\nevent: done\r\ndata: completed\r\n\r\n';
    const bytes = bytesOf(text);
    for (const size of [1, 2, 7, bytes.length]) {
      const parts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
        bytes.slice(at * size, (at + 1) * size),
      );
      answering(...parts);
      const lines: string[] = [];
      expect(await readLog('0a1b2c3d', (line) => lines.push(line), new AbortController().signal)).toBe(true);
      expect(lines).toEqual(['grün', ' two', '']);
    }
    expect(asked[0]).toBe('GET /api/jobs/0a1b2c3d/stream');
  });

  it('is not over where the stream breaks off', async () => {
    answering(bytesOf('data: one\r\n\r\ndata: tw'));
    const lines: string[] = [];
    expect(await readLog('0a1b2c3d', (line) => lines.push(line), new AbortController().signal)).toBe(false);
    expect(lines).toEqual(['one']);
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
