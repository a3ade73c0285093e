import { describe, expect, it } from 'vitest';
import { triesLeft } from './sign_in';

describe('signing in', () => {
  it.each([
    [1, '2 more times'],
    [2, 'once more'],
    [3, 'cannot'],
    [4, 'cannot'],
  ])('says after %i wrong codes: %s', (wrong, words) => {
    expect(triesLeft(wrong)).toContain(words);
  });
});
