import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

/** The features that each feature imports something of. */
function imports(): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const file of globSync('**/*.{ts,svelte}', { cwd: import.meta.dirname })) {
    const [feature = ''] = file.split('/');
    const others = found.get(feature) ?? found.set(feature, new Set()).get(feature);
    const source = readFileSync(`${import.meta.dirname}/${file}`, 'utf8');
    for (const [, other = ''] of source.matchAll(/from '\.\.\/(\w+)\//g)) others?.add(other);
  }
  return found;
}

it('no feature imports itself through others: what two of them share lies below both', () => {
  const left = imports();
  expect(left.get('users')).toContain('groups');
  // Whatever needs nothing that is left can go; a circle never can.
  for (let gone = true; gone; ) {
    gone = false;
    for (const [feature, others] of left) {
      if (![...others].some((other) => left.has(other))) gone = left.delete(feature);
    }
  }
  expect([...left.keys()]).toEqual([]);
});
