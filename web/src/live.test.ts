import { describe, expect, it } from 'vitest';
import { changedBy } from './live';

describe('a frame of the live channel', () => {
  it('says what has changed, in words that may be new', () => {
    expect(changedBy('{"changed":["machines","weather"]}')).toEqual(new Set(['machines', 'weather']));
    expect(changedBy('{"changed":[]}')).toEqual(new Set());
  });

  it('that makes no sense says nothing', () => {
    for (const frame of ['', '{', '{"type":"pong"}', '{"changed":"machines"}', 'null', new ArrayBuffer(3)]) {
      expect(changedBy(frame)).toBeNull();
    }
  });
});
