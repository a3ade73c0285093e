import { describe, expect, it } from 'vitest';
import { isAvatarAddress, isKeptHere } from './avatar';

describe('an avatar', () => {
  it('is kept here or somewhere else', () => {
    const path = `/api/avatars/${'0a'.repeat(16)}`;
    expect(['https://edge.example.com', 'http://127.0.0.1:8787', ''].every((base) => isKeptHere(base + path))).toBe(true);
    expect(['https://example.org/me.png', `https://example.org${path}.png`, ''].some(isKeptHere)).toBe(false);
  });

  it('is looked for at encrypted addresses only', () => {
    expect(isAvatarAddress('https://example.org/me.png')).toBe(true);
    expect(['http://example.org/me.png', 'javascript:alert(1)', 'https://a b', ''].some(isAvatarAddress)).toBe(false);
  });
});
