/** The log of a job as it comes: from its beginning, and on after a cut without a line twice. */
import { ApiError, inWords } from '../../api/error';
import { isPassing, Retry } from '../../retry';
import { readLog } from './api';

export interface LogEvents {
  /** Further lines, in order. */
  onLines(lines: readonly string[]): void;
  /** Nothing follows. */
  onDone(): void;
  /** Why there is nothing to read now, or at all; `null` once there is again. */
  onFailed(words: string | null): void;
}

/** Lines that come together are handed on together, after this, in milliseconds: as often as a screen is drawn. */
const TOGETHER = 16;

/** Reads until it is over, or the returned function is called. */
export function followLog(id: string, events: LogEvents, read: typeof readLog = readLog): () => void {
  const over = new AbortController();
  const { signal } = over;
  const retry = new Retry(() => void attempt());
  const lines: string[] = [];
  /** How many were handed on, or are about to be. */
  let had = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (lines.length > 0) events.onLines(lines.splice(0));
  }

  async function attempt(): Promise<void> {
    // The server begins at the beginning each time.
    let at = 0;
    const take = (line: string): void => {
      if (at === 0) events.onFailed(null);
      if (at++ < had) return;
      had++;
      lines.push(line);
      timer ??= setTimeout(flush, TOGETHER);
    };
    try {
      const done = await read(id, take, signal);
      if (signal.aborted) return;
      flush();
      if (!done) return retry.failed();
      retry.done();
      events.onFailed(null);
      events.onDone();
    } catch (error) {
      if (signal.aborted) return;
      flush();
      // A link that breaks in the middle is no answer of the server.
      const again = !(error instanceof ApiError) || isPassing(error);
      events.onFailed(again ? `${inWords(error)} This page keeps trying.` : inWords(error));
      if (again) retry.failed();
    }
  }

  void attempt();
  return () => {
    over.abort();
    retry.done();
    clearTimeout(timer);
  };
}
