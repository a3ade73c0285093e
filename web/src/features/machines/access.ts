/** Who may use a machine. */
import { answer, client } from '../../api/client';
import type { components } from '../../api/schema';
import type { MachineRole } from '../../auth/user';

export type AccessUser = components['schemas']['AccessUser'];

export async function listAccess(agentId: string, signal: AbortSignal): Promise<AccessUser[]> {
  const params = { path: { agent_id: agentId } };
  return (await answer(client.GET('/api/machines/{agent_id}/access/users', { params, signal }))).users;
}

export interface Grant {
  username: string;
  machine_role: MachineRole;
  duration_hours?: number;
}

export async function grantAccess(agentId: string, grant: Grant): Promise<void> {
  await answer(
    client.POST('/api/machines/{agent_id}/access/grant', { params: { path: { agent_id: agentId } }, body: grant }),
  );
}

export async function revokeAccess(agentId: string, userId: string): Promise<void> {
  await answer(
    client.POST('/api/machines/{agent_id}/access/revoke', {
      params: { path: { agent_id: agentId } },
      body: { user_id: userId },
    }),
  );
}

/** A way in words. */
export function describeWay(way: string): string {
  if (way.startsWith('group:')) return `Through the group ${way.slice('group:'.length)}`;
  return { owner: 'Owner', admin: 'Administrator', direct: 'Granted', request: 'Granted on request' }[way] ?? way;
}
