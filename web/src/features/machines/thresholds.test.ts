import { expect, it } from 'vitest';
import { limitsOf, thresholdsOf } from './thresholds';

const usual = {
  cpu: { warning: 85, critical: 95 },
  memory: { warning: 85, critical: 95 },
  disk: { warning: 80, critical: 90 },
};

it('a form that nobody changed says what it was made of', () => {
  expect(thresholdsOf(limitsOf(usual))).toEqual(usual);
});

it.each([
  { warning: null, critical: 90 },
  { warning: 0, critical: 90 },
  { warning: 90.5, critical: 91 },
  { warning: 91, critical: 90 },
  { warning: 90, critical: 101 },
])('%o is no threshold', (change) => {
  const limits = limitsOf(usual);
  expect(thresholdsOf([...limits.slice(0, 2), { ...limits[2], ...change } as (typeof limits)[number]])).toBe(null);
});
