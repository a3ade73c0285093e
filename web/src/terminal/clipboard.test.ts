import { describe, expect, it } from 'vitest';
import { copiedText, MAX_COPIED } from './clipboard';

const encode = (bytes: number[] | Buffer): string => Buffer.from(bytes).toString('base64');

describe('text that a program copies', () => {
  it.each([
    ['c;aGVsbG8=', 'hello'],
    [';aGVsbG8=', 'hello'],
    ['c;aGVsbG8', 'hello'],
    [`p;${encode(Buffer.from('größer 日本 👍\n'))}`, 'größer 日本 👍\n'],
    [`c;${encode(Buffer.alloc(MAX_COPIED, 'a'))}`, 'a'.repeat(MAX_COPIED)],
  ])('is taken: %.20s', (data, text) => expect(copiedText(data)).toBe(text));

  it.each([
    ['a question', 'c;?'],
    ['nothing', 'c;'],
    ['no selection', 'aGVsbG8='],
    ['no base64', 'c;!!!'],
    ['a part of base64', 'c;aGVsb'],
    ['no UTF-8', `c;${encode([0xff, 0xfe, 0x41])}`],
    ['a cut character', `c;${encode([0x61, 0xe6, 0x97])}`],
    ['more than is taken', `c;${encode(Buffer.alloc(MAX_COPIED + 3, 'a'))}`],
  ])('leaves the clipboard alone if it is %s', (_, data) => expect(copiedText(data)).toBeNull());
});
