import { describe, expect, it } from 'vitest';
import { isReport } from './reports';

describe('an answer of the terminal', () => {
  it.each([
    '\x1b[?1;2c',
    '\x1b[>0;276;0c',
    '\x1b[0n',
    '\x1b[12;40R',
    '\x1b[?2026;2$y',
    '\x1b[I',
    '\x1b[O',
    '\x1bP1$r0m\x1b\\',
    '\x1b]11;rgb:0000/0000/0000\x1b\\',
  ])('is told from a key: %j', (data) => expect(isReport(data)).toBe(true));

  it.each(['a', '\r', '\x1b', '\x1b[A', '\x1bOR', '\x1b[3~', '\x1b[200~pasted\x1b[201~', '\x1b[<0;1;1M', 'I'])(
    'is not a key: %j',
    (data) => expect(isReport(data)).toBe(false),
  );
});
