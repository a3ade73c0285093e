import { describe, expect, it } from 'vitest';
import { isKeptHere, isPictureAddress } from './profile';
import { middle } from './avatar';

describe('a picture', () => {
  it('is cut to the square in its middle and made no larger', () => {
    expect(middle(1000, 400)).toEqual({ x: 300, y: 0, side: 400, to: 256 });
    expect(middle(400, 1001)).toEqual({ x: 0, y: 300.5, side: 400, to: 256 });
    expect(middle(64, 64)).toEqual({ x: 0, y: 0, side: 64, to: 64 });
  });

  it('is kept here or somewhere else', () => {
    const path = `/api/avatars/${'0a'.repeat(16)}`;
    expect(['https://edge.example.com', 'http://127.0.0.1:8787', ''].every((base) => isKeptHere(base + path))).toBe(true);
    expect(['https://example.org/me.png', `https://example.org${path}.png`, ''].some(isKeptHere)).toBe(false);
  });

  it('is looked for at encrypted addresses only', () => {
    expect(isPictureAddress('https://example.org/me.png')).toBe(true);
    expect(['http://example.org/me.png', 'javascript:alert(1)', 'https://a b', ''].some(isPictureAddress)).toBe(false);
  });
});
