import { expect, it } from 'vitest';
import { adminTabs } from './tabs';

const seen = (role: 'super_admin' | 'company_admin' | 'user', permissions: string[] = []): string[] => {
  const isSuperAdmin = role === 'super_admin';
  const isAdmin = isSuperAdmin || role === 'company_admin';
  return adminTabs({ isAdmin, isSuperAdmin, can: (name) => isAdmin || permissions.includes(name) }).map(({ tab }) => tab);
};

it('everybody sees the administration that they may use', () => {
  expect(seen('user')).toEqual([]);
  expect(seen('user', ['system.audit_log', 'users.view'])).toEqual(['people', 'audit']);
  expect(seen('company_admin')).toEqual(['people', 'groups', 'roles', 'audit', 'organization']);
  expect(seen('super_admin')).toContain('organizations');
});
