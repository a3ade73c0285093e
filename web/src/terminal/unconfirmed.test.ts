import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LATE, Unconfirmed } from './unconfirmed';

const said: boolean[] = [];

function watch(): Unconfirmed {
  said.length = 0;
  return new Unconfirmed({
    after: (milliseconds, run) => {
      const timer = setTimeout(run, milliseconds);
      return () => clearTimeout(timer);
    },
    late: (late) => said.push(late),
  });
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('keys that nobody confirms', () => {
  it('are noticed within two seconds, once, however many follow', () => {
    const keys = watch();
    keys.pending(1);
    for (let typed = 2; typed < 20; typed++) {
      vi.advanceTimersByTime(100);
      keys.pending(typed);
    }
    expect([LATE < 2000, said]).toEqual([true, [true]]);
  });

  it('are not late any more when they were confirmed, and can be late again', () => {
    const keys = watch();
    keys.pending(3);
    vi.advanceTimersByTime(LATE);
    keys.pending(0);
    expect(said).toEqual([true, false]);
    keys.pending(1);
    vi.advanceTimersByTime(LATE);
    expect(said).toEqual([true, false, true]);
  });

  it('are not late while some are confirmed all the time, as those of a long paste', () => {
    const keys = watch();
    for (let left = 20; left > 0; left--) {
      keys.pending(left);
      vi.advanceTimersByTime(LATE - 1);
    }
    keys.pending(0);
    vi.advanceTimersByTime(LATE * 2);
    expect(said).toEqual([]);
  });
});
