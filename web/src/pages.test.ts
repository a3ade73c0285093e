// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest';
import { linksIn, markedFor, PAGES, visit } from './pages';

const read = (path: string): object => {
  const { name, params } = visit(path);
  return { name, ...params };
};

describe('a path', () => {
  it.each([
    ['/', { name: 'machines' }],
    ['/machines/', { name: 'machines' }],
    ['/dashboard', { name: 'dashboard' }],
    ['/machines/abc123', { name: 'machine', agentId: 'abc123' }],
    ['/oauth/callback', { name: 'oauth-callback' }],
    ['/reset-password/t-1', { name: 'reset-password', token: 't-1' }],
    ['/accept-invite/t', { name: 'accept-invite', token: 't' }],
    ['/verify-email/t', { name: 'verify-email', token: 't' }],
    ['/account', { name: 'profile' }],
    ['/account/profile', { name: 'profile' }],
    ['/account/keys', { name: 'keys' }],
    ['/admin', { name: 'users' }],
    ['/admin/audit', { name: 'audit' }],
    ['/admin/groups/g1', { name: 'group', id: 'g1' }],
    ['/shared/t1', { name: 'shared', token: 't1' }],
    ['/recordings/r1', { name: 'recording', id: 'r1' }],
    ['/community', { name: 'community' }],
    ['/community/i1', { name: 'issue', id: 'i1' }],
    ['/requests', { name: 'requests' }],
    ['/commands', { name: 'sent-commands' }],
    ['/services', { name: 'services' }],
    ['/services/web@0123456789ab', { name: 'service', service: 'web@0123456789ab' }],
    ['/instances', { name: 'instances' }],
    ['/inventory', { name: 'inventory' }],
    ['/inventory/tags', { name: 'tags' }],
    ['/inventory/server', { name: 'things', slug: 'server' }],
    ['/inventory/server/7', { name: 'thing', slug: 'server', id: '7' }],
    ['/inventory/server/7/ssh', { name: 'ssh', slug: 'server', id: '7' }],
    ['/jobs', { name: 'jobs' }],
    ['/schedules', { name: 'schedules' }],
    ['/schedules/s1', { name: 'schedule', id: 's1' }],
    ['/jobs/0a1b2c3d', { name: 'job', id: '0a1b2c3d' }],
    ['/commands/cmd_1', { name: 'sent-command', commandId: 'cmd_1' }],
  ])('%s names a page', (path, page) => expect(read(path)).toEqual(page));

  it.each([
    '/nowhere',
    '/account/nonsense',
    '/admin/nonsense',
    '/admin/people/1',
    '/admin/groups/1/2',
    '/machines/1/2',
    '/constructor',
    '/reset-password',
    '/api/health',
  ])('%s names none', (path) => expect(read(path)).toEqual({ name: 'missing' }));
});

describe('a menu', () => {
  const rightsOf = (role: 'super_admin' | 'company_admin' | 'user', permissions: string[] = []) => {
    const isSuperAdmin = role === 'super_admin';
    const isAdmin = isSuperAdmin || role === 'company_admin';
    return { isAdmin, isSuperAdmin, can: (name: string) => isAdmin || permissions.includes(name) };
  };
  const seen = (...asked: Parameters<typeof rightsOf>): string[] =>
    linksIn('administration', rightsOf(...asked)).map(({ name }) => name);

  it('leads everybody to the administration that they may use', () => {
    expect(seen('user')).toEqual([]);
    expect(seen('user', ['system.audit_log', 'users.view'])).toEqual(['users', 'audit', 'commands']);
    expect(seen('company_admin')).toEqual(['users', 'groups', 'roles', 'audit', 'commands', 'alerts', 'organization']);
    expect(seen('super_admin')).toContain('organizations');
  });

  it('leads to jobs whoever may see their own or all', () => {
    const permitted = (...permissions: string[]): string[] =>
      linksIn('services', rightsOf('user', permissions)).map(({ name }) => name);
    expect(permitted()).toEqual([]);
    expect(permitted('jobs.view_own')).toEqual(['jobs']);
    expect(permitted('services.view', 'jobs.view_all')).toEqual(['services', 'jobs']);
  });

  it.each([
    ['main', 'machine', '/machines'],
    ['main', 'group', undefined],
    ['administration', 'group', '/admin/groups'],
    ['administration', 'organizations', '/admin/organizations'],
    ['account', 'profile', '/account'],
    ['account', 'security', '/account/security'],
  ] as const)('%s marks for %s the link to %s', (menu, name, href) => {
    expect(markedFor(PAGES[name], linksIn(menu, rightsOf('super_admin')))?.href).toBe(href);
  });
});

it('a page that needs more than an account stands in an area, which looks whether the person has it', () => {
  const open = Object.values(PAGES).filter(({ menu }) => menu === undefined || menu === 'main');
  expect([...new Set(open.map(({ needs }) => needs))].sort()).toEqual(['account', 'anybody', 'stranger']);
});
