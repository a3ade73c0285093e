import { describe, expect, it } from 'vitest';
import { cleanPaste, linesOf, onOneLine, runsAtOnce } from './paste';

const ESC = '\u001b';

describe('a paste', () => {
  it.each([
    ['what ends a bracketed paste', `one${ESC}[201~two`, 'one[201~two'],
    ['the same in one C1 character', 'one\u009b201~two', 'one201~two'],
    [
      'every other C1 character',
      `a${Array.from({ length: 32 }, (_, at) => String.fromCharCode(0x80 + at)).join('')}b`,
      'ab',
    ],
    ['keys such as Ctrl-C, Ctrl-D and backspace', 'a\u0003b\u0004c\u0008d\u007fe\u0000f', 'abcdef'],
  ])('loses %s', (_, text, clean) => expect(cleanPaste(text)).toBe(clean));

  it('keeps text in any script, tabs and line ends', () => {
    const text = 'größer\t日本語 👩‍💻\r\nнет\n\u00a0end\r';
    expect(cleanPaste(text)).toBe(text);
  });

  it.each([
    ['echo one', false, 1, 'echo one'],
    ['echo one\n', true, 1, 'echo one'],
    ['echo one\r\necho two', true, 2, 'echo one echo two'],
    ['a\rb\r\r', true, 3, 'a b'],
    ['', false, 0, ''],
  ])('%j would run at once: %s, has %i lines, is on one line %j', (text, runs, lines, one) => {
    expect([runsAtOnce(text), linesOf(text).length, onOneLine(text)]).toEqual([runs, lines, one]);
  });
});
