/** Roles of the organization, and what they can allow. */
import { answer, client } from '../../api/client';
import type { components } from '../../api/schema';

export type Permission = components['schemas']['PermissionDefinition'];

export type OrgRole = components['schemas']['OrganizationRole'];

export interface RoleDraft {
  name: string;
  description: string;
  permission_ids: number[];
}

/** The organization's own roles; the list has the built-in definitions, too, which have no number. */
export async function listRoles(signal?: AbortSignal): Promise<OrgRole[]> {
  const { roles } = await answer(client.GET('/api/roles', { signal: signal ?? null }));
  return roles.filter((role): role is OrgRole => typeof role.id === 'number');
}

/** By category. */
export async function listPermissions(signal: AbortSignal): Promise<Record<string, Permission[]>> {
  return (await answer(client.GET('/api/roles/permissions', { signal }))).permissions;
}

export async function saveRole(id: number | null, draft: RoleDraft): Promise<void> {
  if (id === null) await answer(client.POST('/api/roles', { body: draft }));
  else await answer(client.PUT('/api/roles/{role_id}', { params: { path: { role_id: String(id) } }, body: draft }));
}

export async function deleteRole(id: number): Promise<void> {
  await answer(client.DELETE('/api/roles/{role_id}', { params: { path: { role_id: String(id) } } }));
}

/** Whether somebody may give a role: nobody gives what they do not have. */
export function mayGive(role: OrgRole, can: (permission: string) => boolean): boolean {
  return role.permissions.every(({ codename }) => can(codename));
}
