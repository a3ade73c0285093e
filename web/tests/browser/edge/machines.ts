/** Who may use a machine. */
import type { Administration } from './administration';
import type { Routes } from './answers';

export function machines(state: Administration): Routes {
  return {
    'GET /api/machines/*/access/users': () => [
      200,
      {
        users: [
          {
            user_id: '1',
            username: 'ada',
            email: '',
            role: 'company_admin',
            machine_role: 'allow_sudo',
            via: 'owner',
            ways: ['owner', 'admin'],
          },
          ...state.grants,
        ],
      },
    ],
    'POST /api/machines/*/access/grant': ({ body }) => {
      if (body.username === 'nobody') return [404, { error: 'User not found' }];
      state.grants.push({
        user_id: '9',
        username: body.username,
        email: '',
        role: 'user',
        machine_role: body.machine_role,
        via: 'direct',
        ways: ['direct'],
        granted_by: 'ada',
      });
      return [200, { message: 'Access granted' }];
    },
    'POST /api/machines/*/access/revoke': ({ body }) => {
      state.grants.splice(
        state.grants.findIndex(({ user_id }) => user_id === body.user_id),
        1,
      );
      return [200, { message: 'Access revoked' }];
    },
  };
}
