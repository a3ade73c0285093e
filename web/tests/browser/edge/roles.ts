/** The roles that can be given, and what they allow. */
import type { Administration } from './administration';
import type { Body, Routes } from './answers';

const PERMISSIONS = {
  machines: [
    {
      id: 1,
      codename: 'instances.view',
      label: 'View Instances',
      description: 'See the cloud instances and what they cost.',
    },
  ],
  users: [
    { id: 15, codename: 'users.view', label: 'View Users', description: 'See the people of the organization.' },
    { id: 16, codename: 'users.create', label: 'Create Users', description: 'Invite people and create their accounts.' },
  ],
};

const ADMINS = {
  id: 1,
  name: 'super-admin',
  description: 'Full system access',
  is_system: true,
  permissions: [],
  user_count: 1,
};

export interface Role {
  id: number;
  name: string;
  description: string;
  permission_ids: number[];
  user_count: number;
}

export function roles(state: Administration): Routes {
  return {
    'GET /api/roles': () => [200, { roles: [{ id: 'user', name: 'user' }, ADMINS, ...state.roles.map(shownRole)] }],
    'GET /api/roles/permissions': () => [200, { permissions: PERMISSIONS }],
    'POST /api/roles': ({ body }) => {
      const role = { id: state.roles.length + 2, user_count: 0, ...(body as Omit<Role, 'id' | 'user_count'>) };
      state.roles.push(role);
      return [200, shownRole(role)];
    },
    'PUT /api/roles/*': ({ at: [id], body }) => {
      Object.assign(state.roles.find((role) => String(role.id) === id) ?? {}, body);
      return [200, {}];
    },
    'DELETE /api/roles/*': ({ at: [id] }) => {
      state.roles.splice(
        state.roles.findIndex((role) => String(role.id) === id),
        1,
      );
      return [200, { status: 'deleted' }];
    },
  };
}

function shownRole({ permission_ids, ...role }: Role): Body {
  const all = Object.entries(PERMISSIONS).flatMap(([category, list]) =>
    list.map((permission) => ({ ...permission, category })),
  );
  return { ...role, is_system: false, permissions: all.filter(({ id }) => permission_ids.includes(id)) };
}
