/** Logins on a machine that did not pass the edge. */
import { answer, client } from '../../api/client';
import type { components } from '../../api/schema';
import { duration } from '../../format';

export type AccessEvent = components['schemas']['AccessEvent'];
export type AccessEventList = components['schemas']['AccessEventList'];

/** How many are shown at first. */
export const SHOWN = 10;

/** The newest logins of a machine, those that last, and how many there are. */
export async function listAccessEvents(agentId: string, limit: number, signal: AbortSignal): Promise<AccessEventList> {
  const params = { path: { agent_id: agentId }, query: { limit } };
  return answer(client.GET('/api/machines/{agent_id}/access-events', { params, signal }));
}

/** How somebody came: `SSH from 203.0.113.7`, `Console, tty1`. */
export function describeWay({ protocol, source_ip, line }: Pick<AccessEvent, 'protocol' | 'source_ip' | 'line'>): string {
  if (protocol === 'ssh') return source_ip === '' ? 'SSH' : `SSH from ${source_ip}`;
  return line === '' ? 'Console' : `Console, ${line}`;
}

/** How long somebody stayed; that they are there while they are. */
export function describeStay({
  active,
  login_at,
  logout_at,
}: Pick<AccessEvent, 'active' | 'login_at' | 'logout_at'>): string {
  if (active || logout_at == null) return 'there now';
  return duration(Math.max(0, Math.round((Date.parse(logout_at) - Date.parse(login_at)) / 1000)));
}
