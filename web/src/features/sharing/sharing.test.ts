// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest';
import { describePeople } from './sharing';

describe('who is there', () => {
  it.each([
    [['ada'], 'ada is here'],
    [['ada', 'bob'], 'ada and bob (watching) are here'],
    [['ada', 'bob', 'cid'], 'ada, bob (watching) and cid (watching) are here'],
  ])('%j reads as a sentence', (names, words) => {
    const people = names.map((username, at) => ({ username, standing: at === 0 ? 'owner' : 'watcher' }));
    expect(describePeople(people)).toBe(words);
  });
});
