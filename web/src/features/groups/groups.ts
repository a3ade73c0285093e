/** Groups: people who share machines. */
import { answer, client } from '../../api/client';
import { given, type Rows } from '../../api/query';
import type { components } from '../../api/schema';

export type Group = components['schemas']['Group'];

export type Member = components['schemas']['GroupMember'];

export type GroupMachine = components['schemas']['GroupMachine'];

interface PageQuery {
  page: number;
  limit: number;
}

export async function listGroups(query: { search: string } & PageQuery, signal: AbortSignal): Promise<Rows<Group>> {
  const { groups, total } = await answer(client.GET('/api/groups', { params: { query: given({ ...query }) }, signal }));
  return { rows: groups, total };
}

/** All groups, for choosing among them. */
export async function allGroups(): Promise<Group[]> {
  return (await answer(client.GET('/api/groups'))).groups;
}

export async function findGroup(id: string, signal: AbortSignal): Promise<Group> {
  return (await answer(client.GET('/api/groups/{group_id}', { params: at(id), signal }))).group;
}

/** The new group. */
export async function createGroup(body: { name: string; description: string }): Promise<Group> {
  return (await answer(client.POST('/api/groups', { body }))).group;
}

export async function updateGroup(id: string, body: { name: string; description: string }): Promise<void> {
  await answer(client.PUT('/api/groups/{group_id}', { params: at(id), body }));
}

export async function deleteGroup(id: string): Promise<void> {
  await answer(client.DELETE('/api/groups/{group_id}', { params: at(id) }));
}

export async function listMembers(id: string, query: PageQuery, signal: AbortSignal): Promise<Rows<Member>> {
  const params = { ...at(id), query: given({ ...query }) };
  const { members, total } = await answer(client.GET('/api/groups/{group_id}/members', { params, signal }));
  return { rows: members, total };
}

/** How many people are offered at once; whoever is not among them is searched for. */
const MOST_OFFERED = 50;

/** People who could be members. */
export async function findPeople(search: string): Promise<components['schemas']['Person'][]> {
  const query = given({ search, page: 1, limit: MOST_OFFERED });
  return (await answer(client.GET('/api/users', { params: { query } }))).users;
}

export async function addMembers(id: string, userIds: string[]): Promise<void> {
  await answer(client.POST('/api/groups/{group_id}/members', { params: at(id), body: { user_ids: userIds } }));
}

export async function removeMember(id: string, userId: string): Promise<void> {
  await answer(client.DELETE('/api/groups/{group_id}/members', { params: at(id), body: { user_id: userId } }));
}

export async function listGroupMachines(id: string, query: PageQuery, signal: AbortSignal): Promise<Rows<GroupMachine>> {
  const params = { ...at(id), query: given({ ...query }) };
  const { machines, total } = await answer(client.GET('/api/groups/{group_id}/machines', { params, signal }));
  return { rows: machines, total };
}

export async function addMachines(id: string, agentIds: string[]): Promise<void> {
  await answer(client.POST('/api/groups/{group_id}/machines', { params: at(id), body: { machine_ids: agentIds } }));
}

export async function removeMachine(id: string, agentId: string): Promise<void> {
  const path = { group_id: id, machine_id: agentId };
  await answer(client.DELETE('/api/groups/{group_id}/machines/{machine_id}', { params: { path } }));
}

function at(id: string): { path: { group_id: string } } {
  return { path: { group_id: id } };
}
