import { describe, expect, it } from 'vitest';
import { pageOf } from './pages';

describe('a path', () => {
  it.each([
    ['/', { name: 'machines' }],
    ['/machines/', { name: 'machines' }],
    ['/machines/abc123', { name: 'machine', agentId: 'abc123' }],
    ['/oauth/callback', { name: 'oauth-callback' }],
    ['/reset-password/t-1', { name: 'reset-password', token: 't-1' }],
    ['/accept-invite/t', { name: 'accept-invite', token: 't' }],
    ['/verify-email/t', { name: 'verify-email', token: 't' }],
    ['/account', { name: 'account', tab: 'profile' }],
    ['/account/keys', { name: 'account', tab: 'keys' }],
    ['/admin', { name: 'admin', tab: 'people' }],
    ['/admin/audit', { name: 'admin', tab: 'audit' }],
    ['/admin/groups/g1', { name: 'group', id: 'g1' }],
  ])('%s names a page', (path, page) => expect(pageOf(path)).toEqual(page));

  it.each(['/nowhere', '/account/nonsense', '/admin/nonsense', '/admin/people/1', '/admin/groups/1/2', '/machines/1/2', '/constructor', '/reset-password', '/api/health'])(
    '%s names none',
    (path) => expect(pageOf(path)).toEqual({ name: 'missing' }),
  );
});
