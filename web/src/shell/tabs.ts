/** Which parts of the administration somebody sees. */
import type { AdminTab } from '../pages';

export interface Rights {
  isAdmin: boolean;
  isSuperAdmin: boolean;
  can(permission: string): boolean;
}

const WORDS: Record<AdminTab, string> = {
  people: 'People',
  groups: 'Groups',
  roles: 'Roles',
  audit: 'Audit',
  organization: 'Settings',
  organizations: 'Organizations',
};

function sees(tab: AdminTab, rights: Rights): boolean {
  switch (tab) {
    case 'people':
      return rights.can('users.view');
    case 'roles':
      return rights.can('roles.view');
    case 'audit':
      return rights.can('system.audit_log');
    case 'groups':
    case 'organization':
      return rights.isAdmin;
    case 'organizations':
      return rights.isSuperAdmin;
  }
}

export function adminTabs(rights: Rights): { tab: AdminTab; text: string; href: string }[] {
  const all = Object.keys(WORDS) as AdminTab[];
  return all.filter((tab) => sees(tab, rights)).map((tab) => ({ tab, text: WORDS[tab], href: `/admin/${tab}` }));
}
