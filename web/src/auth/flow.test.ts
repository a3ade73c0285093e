import { describe, expect, it } from 'vitest';
import { legacyPath, nextStep, readCallback } from './flow';

const HOME = { tenant_id: 'home', tenant_name: 'Home', username: 'ada', user_id: '1' };
const WORK = { tenant_id: 'work', tenant_name: 'Work', username: 'ada-w', user_id: '2' };

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('an answer while signing in', () => {
  it('that carries a token ends it', () => {
    const answer = {
      expires_in: 60,
      user: { id: '1' },
      available_tenants: [HOME],
      must_reset_password: true,
    };
    expect(nextStep(answer)).toEqual({
      kind: 'done',
      granted: { expiresIn: 60, userId: '1', tenants: [HOME], mustChangePassword: true },
    });
  });

  it('after a choice keeps the organizations to choose among later', () => {
    const step = nextStep({ token: 't' }, { proof: 'p', tenants: [HOME, WORK] });
    expect(step).toMatchObject({
      granted: { bearer: 't', tenants: [HOME, WORK], expiresIn: 86_400, mustChangePassword: false },
    });
  });

  it('that names organizations asks which one', () => {
    expect(nextStep({ requires_tenant_selection: true, tenants: [HOME, WORK], session_token: 'p' })).toEqual({
      kind: 'tenant',
      tenants: [HOME, WORK],
      proof: 'p',
    });
  });

  it('that sent a code asks for it', () => {
    expect(
      nextStep({ requires_otp: true, mfa_method: 'mail', mfa_token: 'm', username: 'ada', otp_expires_in_min: 5 }),
    ).toEqual({ kind: 'code', username: 'ada', minutes: 5 });
  });

  it('that wants a second factor asks for that', () => {
    expect(nextStep({ mfa_method: 'totp', mfa_token: 'm', requires_otp: false, session_token: 'p' })).toEqual({
      kind: 'factor',
      proof: 'm',
    });
  });

  it('that means nothing to this page is an error', () => {
    expect(() => nextStep({})).toThrow('does not know');
  });
});

describe('the address that a provider returns to', () => {
  it('is read from the fragment, with names in any script', () => {
    const tenants = [{ ...HOME, tenant_name: 'Café ☕' }];
    const fragment = `#token=t&session_token=p&expires_in=60&user=${base64url({ id: '1' })}&tenants=${base64url(tenants)}`;
    expect(readCallback('', fragment)).toEqual({
      answer: {
        token: 't',
        session_token: 'p',
        expires_in: 60,
        user: { id: '1' },
        tenants,
        requires_selection: false,
        must_reset_password: false,
      },
    });
  });

  it('is read from the query too, and the token says how long it lasts', () => {
    const token = `h.${base64url({ exp: Math.floor(Date.now() / 1000) + 600 })}.s`;
    const read = readCallback(`?token=${token}`, '');
    expect('answer' in read && read.answer.expires_in).toBeGreaterThan(590);
  });

  it('offers the organizations when there are several', () => {
    const read = readCallback('', `#session_token=p&requires_selection=true&tenants=${base64url([HOME, WORK])}`);
    expect('answer' in read && nextStep(read.answer)).toEqual({ kind: 'tenant', tenants: [HOME, WORK], proof: 'p' });
  });

  it('asks for the second factor of who has one', () => {
    const read = readCallback('', '#mfa_token=m');
    expect('answer' in read && nextStep(read.answer)).toEqual({ kind: 'factor', proof: 'm' });
  });

  it('says why it failed', () => {
    expect(readCallback('?error=No%20account%20found', '')).toEqual({ error: 'No account found' });
  });

  it.each([
    ['', ''],
    ['?user=x', '#tenants=%25'],
    ['?session_token=p', ''],
  ])('that carries nothing (%j, %j) is an error in words', (search, fragment) => {
    expect(readCallback(search, fragment)).toHaveProperty('error', expect.stringContaining('no sign-in'));
  });
});

describe('links of an earlier kind', () => {
  it.each([
    ['#accept-invite-abc-1', '/accept-invite/abc-1'],
    ['#reset-password-x_Y', '/reset-password/x_Y'],
    ['#accept-invite-', null],
    ['#something', null],
    ['', null],
  ])('%j leads to %j', (fragment, path) => expect(legacyPath(fragment)).toBe(path));
});
