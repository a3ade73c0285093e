/** For super administrators: all organizations. */
import type { Administration } from './administration';
import { paged, type Routes } from './answers';

export function organizations(state: Administration): Routes {
  return {
    'GET /api/admin/organizations': ({ query }) => [200, paged('organizations', state.organizations, query)],
    'POST /api/admin/organizations': ({ body }) => {
      const organization = {
        ...state.settings,
        ...body,
        id: `o${state.organizations.length + 2}`,
        user_count: 0,
        enabled: true,
      };
      state.organizations.push(organization);
      return [201, { organization }];
    },
    'PUT /api/admin/organizations/*': ({ at: [id], body }) => {
      Object.assign(state.organizations.find((each) => each.id === id) ?? {}, body);
      return [200, {}];
    },
    'DELETE /api/admin/organizations/*': ({ at: [id], body }) => {
      const at = state.organizations.findIndex((each) => each.id === id);
      if (body.confirm !== state.organizations[at]?.name)
        return [409, { error: 'Cannot delete organization with existing users', user_count: 1 }];
      state.organizations.splice(at, 1);
      return [200, { message: 'Organization deleted successfully' }];
    },
    'GET /api/admin/organizations/*/stats': () => [
      200,
      {
        stats: {
          user_count: 3,
          admin_users: 1,
          machine_count: 2,
          online_machine_count: 1,
          group_count: 0,
          session_count_today: 5,
          active_session_count: 2,
        },
      },
    ],
  };
}
