import { describe, expect, it } from 'vitest';
import { inGroups, proofOf } from './second_factor';

describe('the second factor', () => {
  it('is proven by a code of six digits, or by a password', () => {
    expect(proofOf('123 456')).toEqual({ code: '123456' });
    expect(proofOf('1234567')).toEqual({ password: '1234567' });
    expect(proofOf(' correct horse')).toEqual({ password: ' correct horse' });
  });

  it('shows its secret so that it can be typed', () => {
    expect(inGroups('ABCDEFGHIJ')).toBe('ABCD EFGH IJ');
    expect(inGroups('')).toBe('');
  });
});
