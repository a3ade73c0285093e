import { describe, expect, it } from 'vitest';
import { contrast, readable } from './contrast';

describe('a colour that somebody chose', () => {
  it('has the contrast that WCAG computes', () => {
    expect(contrast('#000000', '#ffffff')).toBeCloseTo(21);
    expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2);
    expect(contrast('#123456', '#123456')).toBeCloseTo(1);
  });

  it('is shown in the theme in which it can be read, and in no other', () => {
    expect(readable('#0a5c42', false)).toBe('#0a5c42');
    expect(readable('#0a5c42', true)).toBeUndefined();
    expect(readable('#7fe0bd', true)).toBe('#7fe0bd');
    expect(readable('#7fe0bd', false)).toBeUndefined();
  });

  it('is none if it is not written as one', () => {
    for (const text of ['', 'red', '#fff', '#12345g', 'url(#a)']) expect(readable(text, false)).toBeUndefined();
  });
});
