/** The part of the stand-in edge that knows people: signing in step by step, and what they change about themselves. */
import { Administration, HOME } from './administration';
import { type Answer, type Body, NOW, type Routes } from './answers';

const DAY = 86_400;
export class Identity extends Administration {
  /** What the password of a next sign-in is not enough for, in order. */
  steps: ('tenant' | 'code' | 'factor')[] = [];
  here = HOME;
  mustChangePassword = false;
  setupRequired = false;
  providers: Body = { microsoft_enabled: false, github_enabled: false, oidc_enabled: false, oidc_name: null };
  branding: Body = {
    ...{ logo_url: '', favicon_url: '', name_part1: 'VSAY', name_part1_color: '', name_part2: 'Edge', name_part2_color: '' },
    ...{ default_theme_color: '', default_theme_color_updated_at: null, terminal_idle_timeout_minutes: 2, updated_at: null },
  };
  role = 'company_admin';
  permissions = ['*'];
  displayName: string | null = null;
  avatar: string | null = null;
  /** Avatars that were uploaded, by path. */
  readonly avatars = new Map<string, File>();
  factor = false;
  /** What was asked, method and path and body, for tests that care. */
  readonly said: { route: string; body: Body }[] = [];
  readonly keys: Body[] = [];
  readonly #tokens: Set<string>;
  #sshKey: string | null = null;
  #accountKey = 'vsay_ak_first';
  #wrongCodes = 0;
  constructor(tokens: Set<string>) {
    super();
    this.#tokens = tokens;
    this.addPerson({ username: 'ada', email: 'ada@example.com', role: 'company_admin' });
  }

  /** Whoever is signed in. */
  user(): Body {
    return {
      ...this.here,
      id: this.here.user_id,
      email: 'ada@example.com',
      display_name: this.displayName,
      avatar_url: this.avatar,
      role: this.role,
      permissions: this.permissions,
      email_verified: true,
      must_reset_password: this.mustChangePassword,
      api_key: this.#accountKey,
    };
  }

  signIn(): Body {
    const token = `token-${this.#tokens.size + 1}`;
    this.#tokens.add(token);
    return {
      token,
      expires_in: DAY,
      user: this.user(),
      session_token: 'proof',
      available_tenants: this.tenants,
      must_reset_password: this.mustChangePassword,
    };
  }

  /** The answer to a request that needs nobody to be signed in; nothing if it is none. */
  open(route: string, query: URLSearchParams, body: Body): Answer | null {
    return this.#find(this.#openRoutes, route, query, body);
  }

  /** The answer to anything else; nothing if it is not known here. */
  signedIn(route: string, query: URLSearchParams, body: Body): Answer | null {
    const must =
      this.mustChangePassword &&
      !['GET /api/auth/me', 'POST /api/auth/change-password', 'POST /api/auth/logout', 'POST /api/auth/refresh'].includes(
        route,
      );
    if (must) return [403, { error: 'Choose a new password first', code: 'password_change_required' }];
    return this.#find({ ...this.#own, ...this.administration }, route, query, body);
  }

  #find(routes: Routes, route: string, query: URLSearchParams, body: Body): Answer | null {
    for (const [pattern, handle] of Object.entries(routes)) {
      const found = new RegExp(`^${pattern.replaceAll('*', '([^/]+)')}$`).exec(route);
      if (!found) continue;
      this.said.push({ route, body });
      return handle({ at: found.slice(1).map(decodeURIComponent), query, body });
    }
    return null;
  }

  /** Goes on with signing in. */
  #next(): Answer {
    switch (this.steps.shift()) {
      case 'tenant':
        return [200, { requires_tenant_selection: true, tenants: this.tenants, session_token: 'proof' }];
      case 'code':
        return [200, this.#challenge('mail')];
      case 'factor':
        return [200, this.#challenge('totp')];
      case undefined:
        return [200, this.signIn()];
    }
  }

  #challenge(method: 'mail' | 'totp'): Body {
    const mailed = method === 'mail' ? { otp_expires_in_min: 10 } : {};
    return {
      message: '',
      requires_otp: method === 'mail',
      mfa_required: true,
      mfa_method: method,
      mfa_token: 'challenge',
      username: 'ada',
      tenants: this.tenants,
      session_token: 'proof',
      ...mailed,
    };
  }

  readonly #openRoutes: Routes = {
    'POST /api/(?:auth/)?(?:login|signup)': ({ body }) => {
      if (body.password !== 'correct horse') return [401, { error: 'Invalid credentials' }];
      if (body.username === 'x')
        return [400, { error: 'invalid', fields: [{ field: 'username', message: 'must have 3 to 50 characters' }] }];
      return this.#next();
    },
    'POST /api/auth/select-tenant': ({ body }) => {
      // Later, the console's cookie has it.
      if (body.session_token !== 'proof' && body.session_token !== undefined)
        return [401, { error: 'Invalid or expired session' }];
      const tenant = this.tenants.find(({ tenant_id }) => tenant_id === body.tenant_id);
      if (!tenant) return [403, { error: 'Access to this tenant is not allowed' }];
      this.here = tenant;
      return this.#next();
    },
    'POST /api/auth/verify-otp': ({ body }) => {
      if (body.otp_code === '123456' && this.#wrongCodes < 3) return this.#next();
      this.#wrongCodes++;
      return [401, { error: 'Invalid or expired OTP' }];
    },
    'POST /api/auth/mfa/verify': ({ body }) => {
      if (body.mfa_token === 'challenge' && ['654321', 'abcd-efgh'].includes(String(body.code))) return this.#next();
      return [401, { error: 'Invalid or expired code' }];
    },
    'GET /api/auth/setup-required': () => [
      200,
      { setup_required: this.setupRequired, setup_complete: !this.setupRequired, vault_set: false },
    ],
    'POST /api/auth/setup': () => {
      this.setupRequired = false;
      return this.#next();
    },
    'GET /api/oidc/providers': () => [200, this.providers],
    'GET /api/branding': () => [200, this.branding],
    // The provider knows everybody and sends the browser back at once.
    'GET /api/auth/oidc/*': () => [
      302,
      `/oauth/callback#${new URLSearchParams({ token: String(this.signIn().token), session_token: 'proof' })}`,
    ],
    'POST /api/auth/forgot-password': () => [200, { status: 'ok', message: '' }],
    'POST /api/auth/password-reset/*': ({ at: [token] }) =>
      token === 'good' ? [200, { status: 'ok' }] : [400, { error: 'Invalid or expired reset token' }],
    'POST /api/auth/invite/*': ({ at: [token] }) =>
      token === 'good' ? this.#next() : [400, { error: 'Invalid or expired invite token' }],
    'POST /api/auth/verify-email/*': ({ at: [token] }) =>
      token === 'good' ? [200, { message: '' }] : [400, { error: 'Invalid or expired token' }],
  };

  readonly #own: Routes = {
    'POST /api/auth/refresh': () => [200, this.signIn()],
    'POST /api/auth/logout': () => [200, { message: 'Logged out successfully' }],
    'GET /api/auth/me': () => [200, this.user()],
    'POST /api/auth/change-password': ({ body }) => {
      if (!this.mustChangePassword && body.current_password !== 'correct horse')
        return [400, { error: 'Current password is incorrect' }];
      this.mustChangePassword = false;
      return [200, this.signIn()];
    },
    'PUT /api/admin/branding': ({ body }) => {
      this.branding = { ...this.branding, ...body };
      return [200, this.branding];
    },
    'PUT /api/users/profile': ({ body }) => {
      this.displayName = String(body.display_name);
      return [200, this.user()];
    },
    'POST /api/profile/upload-avatar': ({ body }) => {
      if (body.avatar instanceof File) {
        this.avatar = `/api/avatars/${String(this.avatars.size + 1).padStart(32, '0')}`;
        this.avatars.set(this.avatar, body.avatar);
      } else {
        this.avatar = String(body.avatar_url);
      }
      return [200, { message: 'Avatar updated', avatar_url: this.avatar }];
    },
    'DELETE /api/profile/avatar': () => {
      this.avatar = null;
      return [200, { message: 'Avatar removed' }];
    },
    'GET /api/auth/mfa/status': () => [
      200,
      { enabled: this.factor, mfa_enabled: this.factor, pending: false, backup_codes_remaining: this.factor ? 10 : 0 },
    ],
    'POST /api/auth/mfa/enroll': () => [200, { secret: 'JBSWY3DPEHPK3PXP', otpauth_uri: 'otpauth://totp/x', qr_code: QR }],
    'POST /api/auth/mfa/confirm': ({ body }) => {
      if (body.code !== '654321')
        return [400, { error: 'invalid', fields: [{ field: 'code', message: 'is not the code of this moment' }] }];
      this.factor = true;
      return [200, { message: '', backup_codes: ['abcd-efgh', 'ijkl-mnop'] }];
    },
    'POST /api/auth/mfa/disable': ({ body }) => {
      if (body.password !== 'correct horse') return [400, { error: 'Current password is incorrect' }];
      this.factor = false;
      return [200, { status: 'ok', message: '' }];
    },
    'GET /api/api-keys': () => [200, { keys: this.keys, total: this.keys.length }],
    'POST /api/api-keys': ({ body }) => {
      const key = {
        id: `k${this.keys.length + 1}`,
        key_prefix: 'vsay_0123456',
        created_at: NOW,
        expires_at: null,
        last_used_at: null,
        name: body.name,
        scope: body.scope,
      };
      this.keys.push(key);
      return [201, { ...key, key: `vsay_${'0123456789ab'.repeat(4)}` }];
    },
    'DELETE /api/api-keys/*': ({ at: [id] }) => {
      this.keys.splice(
        this.keys.findIndex((key) => key.id === id),
        1,
      );
      return [200, { message: 'API key revoked' }];
    },
    'GET /api/profile': () => [200, { user: this.user(), ...this.user() }],
    'POST /api/profile/regenerate-api-key': () => {
      this.#accountKey = 'vsay_ak_second';
      return [200, { message: '', api_key: this.#accountKey }];
    },
    'GET /api/auth/me/ssh-key': () => [200, { ssh_public_key: this.#sshKey }],
    'POST /api/auth/me/ssh-key': () => {
      this.#sshKey = 'ssh-ed25519 AAAA ada@example';
      return [
        200,
        {
          public_key: this.#sshKey,
          private_key: '-----BEGIN OPENSSH PRIVATE KEY-----\nx\n-----END OPENSSH PRIVATE KEY-----\n',
        },
      ];
    },
  };
}

const QR = `data:image/svg+xml,${encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 4"><path d="M0 0h2v2H0zM3 3h1v1H3z"/></svg>')}`;
