import { expect, it } from 'vitest';
import { counted, tagsOf } from './community';

it('tags are what stands between commas, each once', () => {
  expect(tagsOf(' disk, web server ,, disk,')).toEqual(['disk', 'web server']);
  expect(tagsOf('')).toEqual([]);
});

it('numbers are said with their words', () => {
  expect([0, 1, 2].map((count) => counted(count, 'fix', 'fixes'))).toEqual(['0 fixes', '1 fix', '2 fixes']);
});
