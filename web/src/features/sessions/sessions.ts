/** Terminal sessions, those that run and those that are over, wherever they were opened. */
import { answer, client } from '../../api/client';
import type { components } from '../../api/schema';

export type TerminalSession = components['schemas']['TerminalSession'];
export type LiveFacts = components['schemas']['LiveFacts'];
export type SessionDetail = components['schemas']['SessionDetail'];
export type SessionPage = components['schemas']['SessionList'];

/** A session that runs, with what it does now, if its machine says so. */
export interface RunningSession extends TerminalSession {
  live?: LiveFacts;
  /** The host it is on, if the machine only opened it there by SSH. */
  target?: string | null;
  /** As whom, if somebody said. */
  target_user?: string | null;
}

/** How many past sessions a page of their list shows. */
export const PAST_PAGE = 20;

/** The running sessions that one may see: one's own, those on one's machines, and an administrator's whole organization's. */
export async function listSessions(agentId: string | undefined, signal: AbortSignal): Promise<RunningSession[]> {
  const query = { owned: true, ...(agentId === undefined ? {} : { agent_id: agentId }) };
  const [{ sessions }, live] = await Promise.all([
    answer(client.GET('/api/terminal/sessions', { params: { query }, signal })),
    // The list says enough without it.
    listLive(agentId, signal).catch(() => []),
  ]);
  return withLive(sessions, live);
}

async function listLive(agentId: string | undefined, signal: AbortSignal): Promise<LiveFacts[]> {
  const query = agentId === undefined ? {} : { agent_id: agentId };
  return (await answer(client.GET('/api/terminal/live', { params: { query }, signal }))).sessions;
}

/** Each session with what is known of it. Names are unique on a machine. */
export function withLive(sessions: TerminalSession[], live: LiveFacts[]): RunningSession[] {
  const facts = new Map(live.map((facts) => [`${facts.agent_id} ${facts.session_id}`, facts]));
  return sessions.map((session) => {
    const known = facts.get(`${session.agent_id} ${session.session_id}`);
    return known ? { ...session, live: known } : session;
  });
}

/** A page of the sessions that are over, newest first: of one machine, or of all. */
export async function listPast(agentId: string | undefined, page: number, signal: AbortSignal): Promise<SessionPage> {
  const narrowed = agentId === undefined ? {} : { agent_id: agentId };
  const query = { owned: true, status: 'ended', page, limit: PAST_PAGE, ...narrowed };
  return await answer(client.GET('/api/terminal/sessions', { params: { query }, signal }));
}

/** One session, with what was run in it. */
export async function findSession(sessionId: string, page: number, signal: AbortSignal): Promise<SessionDetail> {
  const params = { path: { session_id: sessionId }, query: { page } };
  return await answer(client.GET('/api/sessions/{session_id}', { params, signal }));
}

/** Gives a session a name; an empty one takes it away. */
export async function renameSession(sessionId: string, name: string): Promise<void> {
  const params = { path: { session_id: sessionId } };
  await answer(client.PUT('/api/terminal/sessions/{session_id}', { params, body: { name } }));
}

/** Ends the shell of a session. Its viewers are told. */
export async function endSession(sessionId: string): Promise<void> {
  await answer(client.DELETE('/api/terminal/sessions/{session_id}', { params: { path: { session_id: sessionId } } }));
}

/** Where a session is, in words: on a machine, or on a host by way of one. */
export function describePlace({
  machine_name,
  target,
  target_user,
}: Pick<RunningSession, 'machine_name' | 'target' | 'target_user'>): string {
  if (!target) return machine_name;
  return `${target_user ? `${target_user}@` : ''}${target}, through ${machine_name}`;
}

const SOURCES: Record<string, string> = { ui: 'Browser', cli: 'Command line', vscode: 'Editor', api: 'API' };

/** Where a session was opened, in words: "Browser, Chrome on Linux". */
export function describeOrigin({ source, browser, os }: Pick<TerminalSession, 'source' | 'browser' | 'os'>): string {
  const where = SOURCES[source] ?? source;
  if (source !== 'ui' || browser === '' || browser === 'Unknown') return where;
  return os === '' || os === 'Unknown' ? browser : `${browser} on ${os}`;
}

const ENDS: Record<string, string> = {
  exited: 'the shell ended',
  terminated: 'ended by somebody',
  abandoned: 'nobody came back',
  never_started: 'nobody came',
  idle_timeout: 'nobody typed',
  access_revoked: 'the access was withdrawn',
  machine_deleted: 'the machine was deleted',
  open_failed: 'the shell could not be started',
  agent_restarted: 'the agent was restarted',
  not_found: 'the machine did not know it any more',
};

/** Why a session is over, in words. */
export function describeEnd({ close_reason }: Pick<TerminalSession, 'close_reason'>): string {
  return close_reason == null ? '' : (ENDS[close_reason] ?? close_reason.replaceAll('_', ' '));
}

/** What a session does now: "make test in /home/ada", or where it waits. */
export function describeWork({ command, cwd }: Pick<LiveFacts, 'command' | 'cwd'>): string {
  const where = cwd === '' ? '' : `in ${cwd}`;
  return command == null || command === '' ? where : `${command} ${where}`.trim();
}

/** Who looks at a session: "ada, bob (watches)". */
export function describeViewers({ viewers }: Pick<LiveFacts, 'viewers'>): string {
  if (viewers.length === 0) return 'nobody is here';
  const names = viewers.map(({ username, can_type }) => (can_type ? username : `${username} (watches)`));
  return [...new Set(names)].join(', ');
}
