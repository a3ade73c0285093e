import { expect, it } from 'vitest';
import { passwordProblems } from './passwords';

it('a new password is long enough and typed the same twice', () => {
  expect(passwordProblems('correct horse', 'correct horse')).toBeNull();
  expect(passwordProblems('🐎🐎🐎🐎', '🐎🐎🐎🐎')).toHaveProperty('new_password');
  expect(passwordProblems('correct horse', 'correct horsf')).toHaveProperty('again');
});
