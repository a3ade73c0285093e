/** Users: the people of an organization. */
import { answer, client } from '../../api/client';
import { given, type Rows } from '../../api/query';
import type { components } from '../../api/schema';
import type { MachineRole, Role } from '../../auth/user';

export type Person = Omit<components['schemas']['Person'], 'machine_role'> & { machine_role: MachineRole };

export interface UsersQuery {
  search: string;
  /** Another organization than one's own. */
  tenant_id?: string;
}

export async function listUsers(
  query: UsersQuery & { page: number; limit: number },
  signal: AbortSignal,
): Promise<Rows<Person>> {
  const { users, total } = await answer(client.GET('/api/users', { params: { query: given({ ...query }) }, signal }));
  return { rows: users as Person[], total };
}

export interface NewPerson {
  username: string;
  email: string;
  display_name: string;
  role: Role;
  machine_role: MachineRole;
  groups: string[];
  role_ids: number[];
  /** Without one the person is invited. */
  password?: string;
}

/** What came of an invitation: if it was not mailed, the link has to be passed on by hand. */
export type Invited = Pick<components['schemas']['Invited'], 'invite_sent' | 'invite_token' | 'invite_url'>;

/** An account that can be used at once. */
export async function createUser(person: NewPerson): Promise<void> {
  await answer(client.POST('/api/users', { body: person }));
}

export async function inviteUser({ password: _, ...person }: NewPerson): Promise<Invited> {
  const made = await answer(client.POST('/api/users/invite', { body: person }));
  if (!('invite_token' in made)) throw new Error('The account exists now, without an invitation.');
  return made;
}

export function resendInvite(id: string): Promise<Invited> {
  return answer(client.POST('/api/users/{user_id}/resend-invite', { params: { path: { user_id: id } } }));
}

export interface PersonChange {
  email: string;
  display_name: string;
  role: Role;
  machine_role: MachineRole;
  groups: string[];
  enabled: boolean;
}

/** Only what differs is sent: somebody may lack the right to change the rest. */
export async function updateUser(id: string, change: Partial<PersonChange>): Promise<void> {
  if (Object.keys(change).length > 0)
    await answer(client.PUT('/api/users/{user_id}', { params: { path: { user_id: id } }, body: change }));
}

/** Gives the roles that were made here. What the person is in the organization is said again: the numbers alone would change it. */
export async function assignRoles(id: string, roleIds: number[], role: Role): Promise<void> {
  const params = { path: { user_id: id } };
  await answer(client.PUT('/api/users/{user_id}/roles', { params, body: { role_ids: roleIds, portal_role: role } }));
}

export async function deleteUser(id: string): Promise<void> {
  await answer(client.DELETE('/api/users/{user_id}', { params: { path: { user_id: id } } }));
}

export async function resetFactor(id: string): Promise<void> {
  await answer(client.DELETE('/api/users/{user_id}/mfa', { params: { path: { user_id: id } } }));
}

/** Gives somebody a password, who is signed out everywhere and has to choose another at the next sign-in. */
export async function givePassword(id: string, password: string): Promise<void> {
  await answer(
    client.POST('/api/users/{user_id}/reset-password', { params: { path: { user_id: id } }, body: { password } }),
  );
}

/** What of `next` is not as in `person`. */
export function changesOf(person: Person, next: PersonChange): Partial<PersonChange> {
  const before: PersonChange = {
    email: person.email,
    display_name: person.display_name ?? '',
    role: person.role,
    machine_role: person.machine_role,
    groups: person.group_ids,
    enabled: person.enabled,
  };
  const changed = (Object.keys(before) as (keyof PersonChange)[]).filter((name) => !same(before[name], next[name]));
  return Object.fromEntries(changed.map((name) => [name, next[name]]));
}

/** Whether two values, or two sets of ids, are the same. */
export function same(one: unknown, other: unknown): boolean {
  if (!Array.isArray(one) || !Array.isArray(other)) return one === other;
  return one.length === other.length && one.every((item) => other.includes(item));
}

/** The role that every administrator has: it says what `role` says already. */
const SYSTEM_ROLE = 'super-admin';

/** The roles that somebody was given beside being what `role` says. */
export function furtherRoles({ roles }: Pick<Person, 'roles'>): Person['roles'] {
  return roles.filter(({ name }) => name !== SYSTEM_ROLE);
}

/** The link that accepts an invitation, wherever the server says it is. */
export function inviteLink(origin: string, { invite_url, invite_token }: Invited): string {
  return invite_url ?? `${origin}/accept-invite/${encodeURIComponent(invite_token)}`;
}
