/** Which page a path names. */

export const ACCOUNT_TABS = ['profile', 'security', 'keys'] as const;
export const ADMIN_TABS = ['people', 'groups', 'roles', 'audit', 'organization', 'organizations'] as const;

export type AccountTab = (typeof ACCOUNT_TABS)[number];
export type AdminTab = (typeof ADMIN_TABS)[number];

export type Page =
  | { name: 'sign-in' }
  | { name: 'sign-up' }
  | { name: 'setup' }
  | { name: 'oauth-callback' }
  | { name: 'forgot-password' }
  | { name: 'reset-password'; token: string }
  | { name: 'accept-invite'; token: string }
  | { name: 'verify-email'; token: string }
  | { name: 'machines' }
  | { name: 'machine'; agentId: string }
  | { name: 'terminal' }
  | { name: 'running' }
  | { name: 'account'; tab: AccountTab }
  | { name: 'admin'; tab: AdminTab }
  | { name: 'group'; id: string }
  | { name: 'reference' }
  | { name: 'missing' };

/** Pages whose path says all. */
const PLAIN: ReadonlyMap<string, Page> = new Map(Object.entries<Page>({
  '': { name: 'machines' },
  machines: { name: 'machines' },
  'sign-in': { name: 'sign-in' },
  'sign-up': { name: 'sign-up' },
  setup: { name: 'setup' },
  'oauth/callback': { name: 'oauth-callback' },
  'forgot-password': { name: 'forgot-password' },
  terminal: { name: 'terminal' },
  running: { name: 'running' },
  account: { name: 'account', tab: 'profile' },
  admin: { name: 'admin', tab: 'people' },
  'docs/api': { name: 'reference' },
}));

export function pageOf(path: string): Page {
  const parts = path.split('/').filter((part) => part !== '');
  const plain = PLAIN.get(parts.join('/'));
  if (plain) return plain;
  const [first, second = '', third = '', ...rest] = parts;
  if (rest.length > 0) return { name: 'missing' };
  if (first === 'admin' && second === 'groups' && third !== '') return { name: 'group', id: third };
  if (second === '' || third !== '') return { name: 'missing' };
  switch (first) {
    case 'machines':
      return { name: 'machine', agentId: second };
    case 'reset-password':
    case 'accept-invite':
    case 'verify-email':
      return { name: first, token: second };
    case 'account': {
      const tab = ACCOUNT_TABS.find((name) => name === second);
      return tab ? { name: 'account', tab } : { name: 'missing' };
    }
    case 'admin': {
      const tab = ADMIN_TABS.find((name) => name === second);
      return tab ? { name: 'admin', tab } : { name: 'missing' };
    }
  }
  return { name: 'missing' };
}
