/** The part of the stand-in edge that knows an organization: its people, groups, roles, log and settings. */

export type Body = Record<string, unknown>;
export type Answer = [number, unknown];

export interface Asked {
  /** What stood at each `*` of the route. */
  at: string[];
  query: URLSearchParams;
  body: Body;
}

export interface Tenant {
  tenant_id: string;
  tenant_name: string;
  username: string;
  user_id: string;
}

export const NOW = '2026-02-06T12:00:00Z';

export const HOME: Tenant = { tenant_id: 'ada', tenant_name: 'Ada’s machines', username: 'ada', user_id: '1' };
export const WORK: Tenant = { tenant_id: 'acme', tenant_name: 'Acme Corporation', username: 'ada.acme', user_id: '2' };

const PERMISSIONS = {
  machines: [{ id: 1, codename: 'instances.view', label: 'View Instances', description: 'See the cloud instances and what they cost.' }],
  users: [
    { id: 15, codename: 'users.view', label: 'View Users', description: 'See the people of the organization.' },
    { id: 16, codename: 'users.create', label: 'Create Users', description: 'Invite people and create their accounts.' },
  ],
};

export class Administration {
  tenants = [HOME];
  mailWorks = true;
  chain = { valid: true, entries: 1234, unsealed: 0, head: 'c0ffee'.repeat(8), broken_at: null as unknown, next: null };
  readonly people: Body[] = [];
  readonly groups: { id: string; name: string; description: string; members: string[]; machines: string[] }[] = [];
  readonly roles: { id: number; name: string; description: string; permission_ids: number[]; user_count: number }[] = [];
  readonly entries: Body[] = [];
  readonly organizations: Body[] = [];
  readonly grants: Body[] = [];
  #settings: Body = {
    id: 'o1', name: 'ada', display_name: 'Ada’s machines', description: '', enabled: true, otp: 'off', otp_expiry_minutes: 10,
    admins_create_machines: false, inactive_days: 30, user_count: 1, machine_count: 0, created_at: NOW,
  };

  addPerson(facts: Body): Body {
    const id = String(this.people.length + 1);
    const person = {
      id, int_id: Number(id), username: `person-${id}`, email: `person-${id}@example.com`, display_name: null, tenant_id: 'ada', tenant_name: 'Ada’s machines',
      role: 'user', machine_role: '', groups: [], group_ids: [], roles: [], enabled: true, pending: false, last_login: NOW, mfa_enabled: false, ...facts,
    };
    this.people.push(person);
    return person;
  }

  addEntry(facts: Body = {}): void {
    const int_id = this.entries.length + 1;
    this.entries.unshift({
      id: `e${int_id}`, int_id, tenant_id: 'ada', user_id: '1', username: 'ada', action: 'login', resource: 'auth', resource_id: null, status: 'success', severity: 'info',
      response_status: 200, method: 'POST', endpoint: '/api/auth/login', ip_address: '192.0.2.7', browser: 'Chrome', os: 'Linux', source: 'ui', error: null,
      details: {}, created_at: NOW, hash: 'beef'.repeat(16), ...facts,
    });
  }

  protected readonly administration: Record<string, (asked: Asked) => Answer> = {
    'GET /api/users': ({ query }) => {
      const search = query.get('search') ?? '';
      return [200, this.#page('users', this.people.filter(({ username, email }) => `${username} ${email}`.includes(search)), query)];
    },
    'POST /api/users': ({ body }) => [201, { user: this.addPerson({ username: body.username, email: body.email, role: body.role }) }],
    'POST /api/users/invite': ({ body }) => {
      if (this.people.some(({ username }) => username === body.username)) return [409, { error: 'Username already exists', fields: [{ field: 'username', message: 'is taken' }] }];
      const user = this.addPerson({ username: body.username, email: body.email, role: body.role, pending: true, last_login: null });
      return [200, { status: 'invited', user, invite_sent: this.mailWorks, token: 'good', invite_token: 'good', invite_url: null }];
    },
    'PUT /api/users/*': ({ at: [id], body }) => {
      const person = this.people.find((each) => each.id === id);
      if (!person) return [404, { error: 'User not found' }];
      const admins = this.people.filter(({ role }) => role === 'company_admin');
      if (person.role === 'company_admin' && body.role === 'user' && admins.length === 1) return [409, { error: 'The organization needs an administrator' }];
      Object.assign(person, body);
      return [200, { user: person }];
    },
    'POST /api/users/*/reset-password': ({ body }) =>
      String(body.password).length < 8 ? [400, { error: 'password', fields: [{ field: 'password', message: 'must have 8 to 1024 characters' }] }] : [200, { status: 'ok' }],
    'PUT /api/users/*/roles': ({ at: [id], body }) => {
      const ids = body.role_ids as number[];
      const roles = this.roles.filter((role) => ids.includes(role.id)).map((role) => ({ id: role.id, name: role.name }));
      const person = this.people.find((each) => each.id === id) ?? {};
      // The numbers alone say that somebody is no administrator any more.
      Object.assign(person, { roles, role: body.portal_role ?? (person.role === 'company_admin' ? 'user' : person.role) });
      return [200, { message: '' }];
    },
    'DELETE /api/users/*': ({ at: [id] }) => {
      this.people.splice(this.people.findIndex((person) => person.id === id), 1);
      return [200, { message: '', status: 'deactivated' }];
    },
    'GET /api/groups': ({ query }) => [200, this.#page('groups', this.groups.map(counted), query)],
    'POST /api/groups': ({ body }) => {
      const group = { id: `g${this.groups.length + 1}`, name: String(body.name), description: String(body.description), members: [], machines: [] };
      this.groups.push(group);
      return [201, { group: counted(group) }];
    },
    'GET /api/groups/*': ({ at: [id] }) => {
      const group = this.groups.find((each) => each.id === id);
      return group ? [200, { group: counted(group) }] : [404, { error: 'Group not found' }];
    },
    'GET /api/groups/*/members': ({ at: [id], query }) => {
      const members = this.#group(id).members.map((user_id) => ({ ...this.people.find((person) => person.id === user_id), user_id }));
      return [200, this.#page('members', members, query)];
    },
    'POST /api/groups/*/members': ({ at: [id], body }) => {
      this.#group(id).members.push(...(body.user_ids as string[]));
      return [200, { message: '' }];
    },
    'DELETE /api/groups/*/members': ({ at: [id], body }) => {
      const { members } = this.#group(id);
      members.splice(members.indexOf(String(body.user_id)), 1);
      return [200, { message: '' }];
    },
    'GET /api/groups/*/machines': ({ at: [id], query }) => {
      const machines = this.#group(id).machines.map((agent_id) => ({ agent_id, name: `machine ${agent_id}`, status: 'online' }));
      return [200, this.#page('machines', machines, query)];
    },
    'POST /api/groups/*/machines': ({ at: [id], body }) => {
      this.#group(id).machines.push(...(body.machine_ids as string[]));
      return [200, { message: '' }];
    },
    'GET /api/roles': () => [200, { roles: [{ id: 'user', name: 'user' }, ADMINS, ...this.roles.map(shownRole)] }],
    'GET /api/roles/permissions': () => [200, { permissions: PERMISSIONS }],
    'POST /api/roles': ({ body }) => {
      const role = { id: this.roles.length + 2, user_count: 0, ...(body as { name: string; description: string; permission_ids: number[] }) };
      this.roles.push(role);
      return [200, shownRole(role)];
    },
    'PUT /api/roles/*': ({ at: [id], body }) => {
      Object.assign(this.roles.find((role) => String(role.id) === id) ?? {}, body);
      return [200, {}];
    },
    'DELETE /api/roles/*': ({ at: [id] }) => {
      this.roles.splice(this.roles.findIndex((role) => String(role.id) === id), 1);
      return [200, { status: 'deleted' }];
    },
    'GET /api/audit': ({ query }) => {
      const action = query.get('action');
      return [200, this.#page('logs', this.entries.filter((entry) => action === null || entry.action === action), query)];
    },
    'GET /api/audit/tenants': () => [200, { tenants: this.tenants.map(({ tenant_id, tenant_name }) => ({ tenant_id, tenant_name })) }],
    'GET /api/audit/verify': () => [200, this.chain],
    'GET /api/audit/export': ({ query }) => [200, { format: query.get('format'), action: query.get('action') }],
    'GET /api/organization': () => [200, { organization: this.#settings }],
    'PUT /api/organization': ({ body }) => {
      if (body.otp !== 'off' && !this.mailWorks) return [400, { error: 'invalid', fields: [{ field: 'otp', message: 'needs mail, which is not configured here' }] }];
      Object.assign(this.#settings, body);
      return [200, { organization: this.#settings }];
    },
    'GET /api/admin/organizations': ({ query }) => [200, this.#page('organizations', this.organizations, query)],
    'POST /api/admin/organizations': ({ body }) => {
      const organization = { ...this.#settings, ...body, id: `o${this.organizations.length + 2}`, user_count: 0, enabled: true };
      this.organizations.push(organization);
      return [201, { organization }];
    },
    'PUT /api/admin/organizations/*': ({ at: [id], body }) => {
      Object.assign(this.organizations.find((each) => each.id === id) ?? {}, body);
      return [200, {}];
    },
    'DELETE /api/admin/organizations/*': ({ at: [id], body }) => {
      const at = this.organizations.findIndex((each) => each.id === id);
      if (body.confirm !== this.organizations[at]?.name) return [409, { error: 'Cannot delete organization with existing users', user_count: 1 }];
      this.organizations.splice(at, 1);
      return [200, { message: 'Organization deleted successfully' }];
    },
    'GET /api/admin/organizations/*/stats': () => [
      200,
      { stats: { user_count: 3, admin_users: 1, machine_count: 2, online_machine_count: 1, group_count: 0, session_count_today: 5 } },
    ],
    'GET /api/machines/*/access/users': () => [
      200,
      { users: [{ user_id: '1', username: 'ada', email: '', role: 'company_admin', machine_role: 'allow_sudo', via: 'owner', ways: ['owner', 'admin'] }, ...this.grants] },
    ],
    'POST /api/machines/*/access/grant': ({ body }) => {
      if (body.username === 'nobody') return [404, { error: 'User not found' }];
      this.grants.push({ user_id: '9', username: body.username, email: '', role: 'user', machine_role: body.machine_role, via: 'direct', ways: ['direct'], granted_by: 'ada' });
      return [200, { message: 'Access granted' }];
    },
    'POST /api/machines/*/access/revoke': ({ body }) => {
      this.grants.splice(this.grants.findIndex(({ user_id }) => user_id === body.user_id), 1);
      return [200, { message: 'Access revoked' }];
    },
  };

  #group(id: string | undefined): (typeof this.groups)[number] {
    const group = this.groups.find((each) => each.id === id);
    if (!group) throw new Error(`no group ${id}`);
    return group;
  }

  #page(name: string, rows: unknown[], query: URLSearchParams): Body {
    const page = Number(query.get('page') ?? 1);
    const limit = Number(query.get('limit') ?? rows.length);
    return { [name]: rows.slice((page - 1) * limit, page * limit), total: rows.length, page, limit };
  }
}

const ADMINS = { id: 1, name: 'super-admin', description: 'Full system access', is_system: true, permissions: [], user_count: 1 };

function counted({ id, name, description, members, machines }: { id: string; name: string; description: string; members: string[]; machines: string[] }): Body {
  return { id, name, description, member_count: members.length, machine_count: machines.length };
}

function shownRole({ permission_ids, ...role }: { permission_ids: number[]; id: number; name: string; description: string; user_count: number }): Body {
  const all = Object.entries(PERMISSIONS).flatMap(([category, list]) => list.map((permission) => ({ ...permission, category })));
  return { ...role, is_system: false, permissions: all.filter(({ id }) => permission_ids.includes(id)) };
}
