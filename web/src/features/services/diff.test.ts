import { describe, expect, it } from 'vitest';
import { diff } from './diff';

const SIGNS = { same: ' ', gone: '-', new: '+' };

function shown(before: string, after: string): string[] {
  return diff(before, after).map((hunk) =>
    hunk.map(({ kind, text, number }) => `${SIGNS[kind]}${number}:${text}`).join('|'),
  );
}

describe('what changes between two texts', () => {
  it.each([
    ['a\nb\nc', 'a\nb\nc', []],
    ['', 'a', ['-1:|+1:a']],
    ['a\nb\nc', 'a\nx\nc', [' 1:a|-2:b|+2:x| 3:c']],
    ['a\nb', 'a\nb\n', [' 1:a| 2:b|+3:']],
    ['a\nb\nc\nd', 'b\nd\ne', ['-1:a| 1:b|-3:c| 2:d|+3:e']],
    ['a\na\na', 'a\na', [' 1:a| 2:a|-3:a']],
  ])('from %j to %j', (before, after, hunks) => expect(shown(before, after)).toEqual(hunks));

  it('is shown with three lines around each change', () => {
    const lines = Array.from({ length: 30 }, (_, at) => `l${at + 1}`);
    const after = lines.with(4, 'first').with(20, 'second').join('\n');
    expect(shown(lines.join('\n'), after)).toEqual([
      ' 2:l2| 3:l3| 4:l4|-5:l5|+5:first| 6:l6| 7:l7| 8:l8',
      ' 18:l18| 19:l19| 20:l20|-21:l21|+21:second| 22:l22| 23:l23| 24:l24',
    ]);
  });

  it('leads from one to the other, whatever they are', () => {
    let state = 7;
    const random = (below: number): number => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return state % below;
    };
    const text = (): string => Array.from({ length: random(12) }, () => 'abc'[random(3)]).join('\n');
    for (let round = 0; round < 300; round++) {
      const [before, after] = [text(), text()];
      const lines = diff(before, after).flat();
      const [from, to] = [before.split('\n'), after.split('\n')];
      for (const { kind, text: line, number } of lines) expect((kind === 'gone' ? from : to)[number - 1]).toBe(line);
      const changed = (kind: string): number => lines.filter((line) => line.kind === kind).length;
      expect(from.length - changed('gone')).toBe(to.length - changed('new'));
    }
  });

  it('of long texts without anything in common is one for the other', () => {
    const lines = (word: string): string => Array.from({ length: 5000 }, (_, at) => `${word}${at}`).join('\n');
    expect(diff(lines('a'), lines('b'))).toHaveLength(1);
  });
});
