/** The people of the organization. */
import type { Administration } from './administration';
import { paged, type Routes } from './answers';

export function users(state: Administration): Routes {
  return {
    'GET /api/users': ({ query }) => {
      const search = query.get('search') ?? '';
      return [
        200,
        paged(
          'users',
          state.people.filter(({ username, email }) => `${username} ${email}`.includes(search)),
          query,
        ),
      ];
    },
    'POST /api/users': ({ body }) => [
      201,
      { user: state.addPerson({ username: body.username, email: body.email, role: body.role }) },
    ],
    'POST /api/users/invite': ({ body }) => {
      if (state.people.some(({ username }) => username === body.username))
        return [409, { error: 'Username already exists', fields: [{ field: 'username', message: 'is taken' }] }];
      const user = state.addPerson({
        username: body.username,
        email: body.email,
        role: body.role,
        pending: true,
        last_login: null,
      });
      return [
        200,
        { status: 'invited', user, invite_sent: state.mailWorks, token: 'good', invite_token: 'good', invite_url: null },
      ];
    },
    'PUT /api/users/*': ({ at: [id], body }) => {
      const person = state.people.find((each) => each.id === id);
      if (!person) return [404, { error: 'User not found' }];
      const admins = state.people.filter(({ role }) => role === 'company_admin');
      if (person.role === 'company_admin' && body.role === 'user' && admins.length === 1)
        return [409, { error: 'The organization needs an administrator' }];
      Object.assign(person, body);
      return [200, { user: person }];
    },
    'POST /api/users/*/reset-password': ({ body }) =>
      String(body.password).length < 8
        ? [400, { error: 'password', fields: [{ field: 'password', message: 'must have 8 to 1024 characters' }] }]
        : [200, { status: 'ok' }],
    'PUT /api/users/*/roles': ({ at: [id], body }) => {
      const ids = body.role_ids as number[];
      const roles = state.roles.filter((role) => ids.includes(role.id)).map((role) => ({ id: role.id, name: role.name }));
      const person = state.people.find((each) => each.id === id) ?? {};
      // The numbers alone say that somebody is no administrator any more.
      Object.assign(person, { roles, role: body.portal_role ?? (person.role === 'company_admin' ? 'user' : person.role) });
      return [200, { message: '' }];
    },
    'DELETE /api/users/*': ({ at: [id] }) => {
      state.people.splice(
        state.people.findIndex((person) => person.id === id),
        1,
      );
      return [200, { message: '', status: 'deactivated' }];
    },
  };
}
