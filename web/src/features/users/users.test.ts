import { describe, expect, it } from 'vitest';
import { nameOf } from '../../auth/user';
import { changesOf, furtherRoles, inviteLink, type Person } from './users';

const ADA = {
  id: '1',
  username: 'ada',
  email: 'ada@example.com',
  display_name: null,
  role: 'user',
  machine_role: '',
  group_ids: ['a', 'b'],
  enabled: true,
} as unknown as Person;

describe('a person', () => {
  it('is changed only where something differs', () => {
    const same = {
      email: 'ada@example.com',
      display_name: '',
      role: 'user',
      machine_role: '',
      groups: ['b', 'a'],
      enabled: true,
    } as const;
    expect(changesOf(ADA, { ...same, groups: [...same.groups] })).toEqual({});
    expect(changesOf(ADA, { ...same, groups: ['a'], role: 'company_admin', enabled: false })).toEqual({
      groups: ['a'],
      role: 'company_admin',
      enabled: false,
    });
  });

  it('is called by the name it chose, else by its username', () => {
    expect(nameOf(ADA)).toBe('ada');
    expect(nameOf({ ...ADA, display_name: 'Ada L.' })).toBe('Ada L.');
  });

  it('has further roles beside being an administrator', () => {
    expect(
      furtherRoles({
        roles: [
          { id: 1, name: 'super-admin' },
          { id: 2, name: 'Auditor' },
        ],
      }),
    ).toEqual([{ id: 2, name: 'Auditor' }]);
  });

  it('is invited by the link of the server, or else of this page', () => {
    const invited = { invite_sent: false, invite_token: 'a/b', invite_url: null };
    expect(inviteLink('https://e', invited)).toBe('https://e/accept-invite/a%2Fb');
    expect(inviteLink('https://e', { ...invited, invite_url: 'https://f/x' })).toBe('https://f/x');
  });
});
