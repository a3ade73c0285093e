/** What changes between two texts, by lines. */

export interface Line {
  kind: 'same' | 'gone' | 'new';
  text: string;
  /** Its number in the text it is in, from 1: of a line that is gone, in the former. */
  number: number;
}

/** Lines without a change around one, on either side. */
const AROUND = 3;

/** Most pairs of lines that are compared. Texts with more in between first and last change are shown as replaced: 4 MB of numbers. */
const MOST_PAIRS = 1_000_000;

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
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) head++;
  let tail = 0;
  while (tail < shorter - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++;
  const same = (lines: string[], from: number): Line[] =>
    lines.map((text, at) => ({ kind: 'same', text, number: from + at + 1 }));
  return [
    ...same(after.slice(0, head), 0),
    ...middle(before.slice(head, before.length - tail), after.slice(head, after.length - tail), head),
    ...same(after.slice(after.length - tail), after.length - tail),
  ];
}

/** By the longest sequence of lines that both have. */
function middle(before: string[], after: string[], from: number): Line[] {
  const [rows, columns] = [before.length, after.length];
  const gone = (at: number): Line => ({ kind: 'gone', text: before[at] ?? '', number: from + at + 1 });
  const added = (at: number): Line => ({ kind: 'new', text: after[at] ?? '', number: from + at + 1 });
  if (rows * columns > MOST_PAIRS) return [...before.map((_, at) => gone(at)), ...after.map((_, at) => added(at))];
  // How many lines the rests of both have in common, from each pair of places on.
  const width = columns + 1;
  const common = new Uint32Array((rows + 1) * width);
  const at = (row: number, column: number): number => common[row * width + column] ?? 0;
  for (let row = rows - 1; row >= 0; row--) {
    for (let column = columns - 1; column >= 0; column--) {
      const longest = Math.max(at(row + 1, column), at(row, column + 1));
      common[row * width + column] = before[row] === after[column] ? at(row + 1, column + 1) + 1 : longest;
    }
  }
  const lines: Line[] = [];
  let [row, column] = [0, 0];
  while (row < rows || column < columns) {
    if (row < rows && column < columns && before[row] === after[column]) {
      lines.push({ ...added(column++), kind: 'same' });
      row++;
    } else if (row < rows && (column === columns || at(row + 1, column) >= at(row, column + 1))) lines.push(gone(row++));
    else lines.push(added(column++));
  }
  return lines;
}
