import { describe, expect, it } from 'vitest';
import { nearest, pathOf, roundTop } from './chart';

const span = { from: 0, to: 1000 };

describe('a line over time', () => {
  it('goes through its points', () => {
    const points = [
      { at: 0, value: 0 },
      { at: 500, value: 50 },
      { at: 1000, value: 100 },
    ];
    expect(pathOf(points, span, 100, 600)).toBe('M0.0 100.0h1L500.0 50.0L1000.0 0.0');
  });

  it('is broken where nothing was measured, and leaves out what is not shown', () => {
    const points = [-100, 0, 100, 900].map((at) => ({ at, value: 50 }));
    expect(pathOf(points, span, 100, 200)).toBe('M0.0 50.0h1L100.0 50.0M900.0 50.0h1');
  });

  it('stays in its box', () => {
    expect(pathOf([{ at: 0, value: 900 }], span, 100, 1)).toBe('M0.0 0.0h1');
    expect(pathOf([{ at: 0, value: 1 }], { from: 5, to: 5 }, 100, 1)).toBe('');
  });

  it('is read where somebody points', () => {
    const points = [100, 400, 5000].map((at) => ({ at, value: at }));
    expect(nearest(points, span, 0)?.at).toBe(100);
    expect(nearest(points, span, 1)?.at).toBe(400);
    expect(nearest([], span, 1)).toBe(null);
  });

  it.each([
    [0, 1],
    [0.0003, 0.0005],
    [0.9, 1],
    [1, 1],
    [3, 5],
    [70, 100],
  ])('with values up to %d ends at %d', (highest, top) => expect(roundTop(highest)).toBeCloseTo(top, 10));
});
