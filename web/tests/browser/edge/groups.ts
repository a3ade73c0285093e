/** Groups of people and machines. */
import type { Administration } from './administration';
import { type Body, paged, type Routes } from './answers';

export interface Group {
  id: string;
  name: string;
  description: string;
  members: string[];
  machines: string[];
}

export function groups(state: Administration): Routes {
  const find = (id: string | undefined): Group => {
    const group = state.groups.find((each) => each.id === id);
    if (!group) throw new Error(`no group ${id}`);
    return group;
  };
  return {
    'GET /api/groups': ({ query }) => [200, paged('groups', state.groups.map(counted), query)],
    'POST /api/groups': ({ body }) => {
      const group = {
        id: `g${state.groups.length + 1}`,
        name: String(body.name),
        description: String(body.description),
        members: [],
        machines: [],
      };
      state.groups.push(group);
      return [201, { group: counted(group) }];
    },
    'GET /api/groups/*': ({ at: [id] }) => {
      const group = state.groups.find((each) => each.id === id);
      return group ? [200, { group: counted(group) }] : [404, { error: 'Group not found' }];
    },
    'GET /api/groups/*/members': ({ at: [id], query }) => {
      const members = find(id).members.map((user_id) => ({
        ...state.people.find((person) => person.id === user_id),
        user_id,
      }));
      return [200, paged('members', members, query)];
    },
    'POST /api/groups/*/members': ({ at: [id], body }) => {
      find(id).members.push(...(body.user_ids as string[]));
      return [200, { message: '' }];
    },
    'DELETE /api/groups/*/members': ({ at: [id], body }) => {
      const { members } = find(id);
      members.splice(members.indexOf(String(body.user_id)), 1);
      return [200, { message: '' }];
    },
    'GET /api/groups/*/machines': ({ at: [id], query }) => {
      const machines = find(id).machines.map((agent_id) => ({ agent_id, name: `machine ${agent_id}`, status: 'online' }));
      return [200, paged('machines', machines, query)];
    },
    'POST /api/groups/*/machines': ({ at: [id], body }) => {
      find(id).machines.push(...(body.machine_ids as string[]));
      return [200, { message: '' }];
    },
  };
}

function counted({ id, name, description, members, machines }: Group): Body {
  return { id, name, description, member_count: members.length, machine_count: machines.length };
}
