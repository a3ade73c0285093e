/** For super administrators: all organizations of this server. */
import { answer, client } from '../../api/client';
import { given, type Rows } from '../../api/query';
import type { components } from '../../api/schema';

export type Organization = components['schemas']['Organization'];

export type Stats = components['schemas']['Stats'];

export async function listOrganizations(
  query: { search: string; page: number; limit: number },
  signal: AbortSignal,
): Promise<Rows<Organization>> {
  const params = { query: given({ ...query }) };
  const { organizations, total } = await answer(client.GET('/api/admin/organizations', { params, signal }));
  return { rows: organizations, total };
}

export async function createOrganization(body: { name: string; display_name: string; description: string }): Promise<void> {
  await answer(client.POST('/api/admin/organizations', { body }));
}

export async function setEnabled(id: string, enabled: boolean): Promise<void> {
  await answer(client.PUT('/api/admin/organizations/{organization_id}', { params: at(id), body: { enabled } }));
}

/** Removes it with all that belongs to it. `name` says that this is meant. */
export async function deleteOrganization(id: string, name: string): Promise<void> {
  await answer(client.DELETE('/api/admin/organizations/{organization_id}', { params: at(id), body: { confirm: name } }));
}

export async function findStats(id: string, signal: AbortSignal): Promise<Stats> {
  return (await answer(client.GET('/api/admin/organizations/{organization_id}/stats', { params: at(id), signal }))).stats;
}

function at(id: string): { path: { organization_id: string } } {
  return { path: { organization_id: id } };
}
