/** Asking for machines: what the API says of requests, and how that reads. */
import { answer, client } from '../../api/client';
import { given, type Rows } from '../../api/query';
import type { components } from '../../api/schema';

export type AccessRequest = components['schemas']['AccessRequest'];
export type AskableMachine = components['schemas']['AskableMachine'];
export type Status = components['schemas']['AccessRequestStatus'];

/** How a request went, in a word, with its colour. */
export const STATES: Record<Status, { words: string; tone: 'plain' | 'edge' | 'warn' | 'bad' }> = {
  pending: { words: 'Waiting', tone: 'warn' },
  approved: { words: 'Approved', tone: 'edge' },
  rejected: { words: 'Rejected', tone: 'bad' },
  expired: { words: 'Time is over', tone: 'plain' },
  revoked: { words: 'Revoked', tone: 'bad' },
};

/** For how long, in hours; `0` has no end. */
export const LIVES = [
  ['1', 'An hour'],
  ['8', '8 hours'],
  ['24', 'A day'],
  ['168', 'A week'],
  ['720', '30 days'],
  ['0', 'Until revoked'],
] as const;

/** A time in words: `8 hours`, `2 days`, `until revoked`. */
export function describeHours(hours: number): string {
  if (hours === 0) return 'until revoked';
  const [count, unit] = hours % 24 === 0 ? [hours / 24, 'day'] : [hours, 'hour'];
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/** What was asked for, in words: `For 8 hours, with sudo`. */
export function describeWish({
  duration_hours,
  machine_role,
}: Pick<AccessRequest, 'duration_hours' | 'machine_role'>): string {
  const time = describeHours(duration_hours);
  const lasts = duration_hours === 0 ? `${time.charAt(0).toUpperCase()}${time.slice(1)}` : `For ${time}`;
  return machine_role === '' ? lasts : `${lasts}, with sudo`;
}

/** What came of it, in a sentence without its end; empty while it waits. */
export function describeDecision(request: AccessRequest, time: (text: string) => string): string {
  switch (request.status) {
    case 'pending':
      return '';
    case 'approved': {
      const until = request.expires_at == null ? 'without an end' : `until ${time(request.expires_at)}`;
      return `Approved by ${request.approved_by} ${until}`;
    }
    case 'rejected':
      return `Rejected by ${request.rejected_by}: ${request.reject_comment}`;
    case 'expired':
      return request.expires_at == null ? 'Its time is over' : `Ended ${time(request.expires_at)}`;
    case 'revoked':
      return `Revoked by ${request.revoked_by}`;
  }
}

interface Wish {
  /** The machine, by its id or its public name. */
  machine_id: string;
  duration_hours: number;
  request_note: string;
  machine_role: 'allow_sudo' | '';
}

export async function askForAccess(wish: Wish): Promise<AccessRequest> {
  return answer(client.POST('/api/access-requests', { body: wish }));
}

interface PageQuery {
  page: number;
  limit: number;
}

export async function listOwn(query: PageQuery, signal: AbortSignal): Promise<Rows<AccessRequest>> {
  const params = { query: given({ ...query }) };
  const { requests, total } = await answer(client.GET('/api/access-requests/my', { params, signal }));
  return { rows: requests, total };
}

export async function listToDecide(query: PageQuery, signal: AbortSignal): Promise<Rows<AccessRequest>> {
  const params = { query: given({ ...query }) };
  const { requests, total } = await answer(client.GET('/api/access-requests/to-decide', { params, signal }));
  return { rows: requests, total };
}

/** Everybody's, for administrators. */
export async function listAll(
  query: { status: Status; search: string } & PageQuery,
  signal: AbortSignal,
): Promise<Rows<AccessRequest>> {
  const params = { query: { ...given({ ...query }), status: query.status } };
  const { requests, total } = await answer(client.GET('/api/access-requests', { params, signal }));
  return { rows: requests, total };
}

export async function listAskable(
  query: { search: string } & PageQuery,
  signal: AbortSignal,
): Promise<Rows<AskableMachine>> {
  const params = { query: given({ ...query }) };
  const { machines, total } = await answer(client.GET('/api/access-requests/machines', { params, signal }));
  return { rows: machines, total };
}

/** How many requests for a machine wait. */
export async function countPending(agentId: string, signal: AbortSignal): Promise<number> {
  const params = { path: { agent_id: agentId } };
  return (await answer(client.GET('/api/machines/{agent_id}/pending-requests-count', { params, signal }))).count;
}

export async function approve(id: string): Promise<void> {
  await answer(client.POST('/api/access-requests/{request_id}/approve', { params: at(id) }));
}

export async function reject(id: string, comment: string): Promise<void> {
  await answer(client.POST('/api/access-requests/{request_id}/reject', { params: at(id), body: { comment } }));
}

export async function revoke(id: string): Promise<void> {
  await answer(client.POST('/api/access-requests/{request_id}/revoke', { params: at(id) }));
}

export async function cancel(id: string): Promise<void> {
  await answer(client.DELETE('/api/access-requests/{request_id}', { params: at(id) }));
}

function at(id: string): { path: { request_id: string } } {
  return { path: { request_id: id } };
}
