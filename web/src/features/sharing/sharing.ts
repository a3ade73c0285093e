/** Sharing a terminal while it runs: what the API says of it, and how that reads. */
import { answer, client } from '../../api/client';
import type { components } from '../../api/schema';

export type Share = components['schemas']['Share'];
export type ShareLink = components['schemas']['ShareLinkCreated'];
export type SharedSession = components['schemas']['SharedSession'];
export type Standing = components['schemas']['Standing'];

/** With whom a session is shared, and by which links. */
export async function listShares(sessionId: string, signal: AbortSignal): Promise<Share[]> {
  const params = { path: { session_id: sessionId } };
  return (await answer(client.GET('/api/terminal/sessions/{session_id}/shares', { params, signal }))).shares;
}

export async function shareWith(
  sessionId: string,
  body: { username: string; can_type: boolean; expires_in?: number },
): Promise<void> {
  const params = { path: { session_id: sessionId } };
  await answer(client.POST('/api/terminal/sessions/{session_id}/shares', { params, body }));
}

/** Makes a link. Its address is shown once. */
export async function makeLink(sessionId: string, body: { can_type: boolean; expires_in: number }): Promise<ShareLink> {
  const params = { path: { session_id: sessionId } };
  return answer(client.POST('/api/terminal/sessions/{session_id}/share-links', { params, body }));
}

/** Ends an invitation or a link. Whoever is there by it has to go. */
export async function endShare(sessionId: string, shareId: string): Promise<void> {
  const params = { path: { session_id: sessionId, share_id: shareId } };
  await answer(client.DELETE('/api/terminal/sessions/{session_id}/shares/{share_id}', { params }));
}

/** Sessions of others that the person was invited to. */
export async function listShared(signal: AbortSignal): Promise<SharedSession[]> {
  return (await answer(client.GET('/api/shares', { signal }))).shares;
}

/** Accepts a link. */
export async function joinBy(token: string): Promise<SharedSession> {
  return (await answer(client.POST('/api/shares/join', { body: { token } }))).share;
}

/** "ada, bob and cid (watching) are here". */
export function describePeople(people: readonly { username: string; standing: string }[]): string {
  const names = people.map(({ username, standing }) => (standing === 'watcher' ? `${username} (watching)` : username));
  const last = names.pop() ?? '';
  return names.length === 0 ? `${last} is here` : `${names.join(', ')} and ${last} are here`;
}

/** What an invitation or link lets do. */
export function describeShare({ can_type }: Pick<Share, 'can_type'>): string {
  return can_type ? 'may type' : 'watches';
}
