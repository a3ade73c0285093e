/** A line over time, as a path in a box that the page stretches. */

export interface Point {
  /** In milliseconds since the epoch. */
  at: number;
  value: number;
}

export interface Span {
  from: number;
  to: number;
}

/** The box that paths are drawn in; the page gives it its size. */
export const WIDTH = 1000;
export const HEIGHT = 100;

/** Where a value stands in the box, from the top. */
export function heightOf(value: number, top: number): number {
  const share = top > 0 ? Math.min(1, Math.max(0, value / top)) : 0;
  return HEIGHT * (1 - share);
}

/** A path through the points. Where nothing was measured for longer than `gap` it is broken; a point alone is a dash. */
export function pathOf(points: readonly Point[], { from, to }: Span, top: number, gap: number): string {
  const parts: string[] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const { at, value } of points) {
    if (at < from || at > to || to <= from) continue;
    const x = ((at - from) / (to - from)) * WIDTH;
    const y = heightOf(value, top).toFixed(1);
    parts.push(at - last > gap ? `M${x.toFixed(1)} ${y}h1` : `L${x.toFixed(1)} ${y}`);
    last = at;
  }
  return parts.join('');
}

/** The point that is nearest to a place in the box, from 0 to 1. */
export function nearest(points: readonly Point[], { from, to }: Span, share: number): Point | null {
  const wanted = from + share * (to - from);
  let found: Point | null = null;
  for (const point of points) {
    if (point.at < from || point.at > to) continue;
    if (found === null || Math.abs(point.at - wanted) < Math.abs(found.at - wanted)) found = point;
  }
  return found;
}

/** A round number that all values are below: 1, 2 or 5 times a power of ten. */
export function roundTop(highest: number): number {
  if (!(highest > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(highest));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= highest) ?? 10;
  return step * power;
}
