/** What changes between two texts, by lines. */
import { diffArrays } from 'diff';

export interface Line {
  kind: 'same' | 'gone' | 'new';
  text: string;
  /** Its number in the text it is in, from 1: of a line that is gone, in the former. */
  number: number;
}

/** Lines without a change around one, on either side. */
const AROUND = 3;

/** Most lines that are gone or new. Texts with more are shown as replaced: to find out takes the square of it, some tenths of a second. */
const MOST_CHANGES = 2000;

/** The changes, each with what is around it, in the order of the text. Nothing if the texts are equal. */
export function diff(before: string, after: string): Line[][] {
  const lines = compare(before.split('\n'), after.split('\n'));
  const near = lines.map((_, at) =>
    lines.slice(Math.max(0, at - AROUND), at + AROUND + 1).some(({ kind }) => kind !== 'same'),
  );
  const hunks: Line[][] = [];
  for (const [at, line] of lines.entries()) {
    if (!near[at]) continue;
    if (!near[at - 1]) hunks.push([]);
    hunks.at(-1)?.push(line);
  }
  return hunks;
}

function compare(before: string[], after: string[]): Line[] {
  const changes = diffArrays(before, after, { maxEditLength: MOST_CHANGES }) ?? [
    { value: before, removed: true, added: false },
    { value: after, removed: false, added: true },
  ];
  const numbers = { gone: 0, new: 0 };
  return changes.flatMap(({ value, added, removed }) =>
    value.map((text): Line => {
      if (!added) numbers.gone++;
      if (!removed) numbers.new++;
      const kind = added ? 'new' : removed ? 'gone' : 'same';
      return { kind, text, number: removed ? numbers.gone : numbers.new };
    }),
  );
}
