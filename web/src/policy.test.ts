import { expect, it } from 'vitest';
import { draftOf, policyOf, wrongWith } from './policy';

const policy = { allowed_commands: [], blocked_commands: ['rm', '/usr/bin/dd'], approval_required_commands: ['systemctl'] };

it('lists that are typed are the lists that they were', () => {
  expect(draftOf(policy).blocked_commands).toBe('rm\n/usr/bin/dd');
  expect(policyOf(draftOf(policy))).toEqual(policy);
  expect(policyOf({ ...draftOf(policy), allowed_commands: ' ls  df\n\n' }).allowed_commands).toEqual(['ls', 'df']);
});

it('what is wrong with a program is said at its list', () => {
  const fields = { 'command_policy.blocked_commands[1]': 'must be a name', other: 'x' };
  expect(wrongWith('blocked_commands', fields)).toBe('Program 2 must be a name');
  expect(wrongWith('allowed_commands', fields)).toBe(undefined);
  expect(wrongWith('allowed_commands', { 'command_policy.allowed_commands': 'too many' })).toBe('too many');
});
