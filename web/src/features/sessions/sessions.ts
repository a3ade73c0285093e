/** Terminal sessions that run, wherever they were opened. */
import { answer, client } from '../../api/client';
import type { components } from '../../api/schema';

export type TerminalSession = components['schemas']['TerminalSession'];

export async function listSessions(signal: AbortSignal): Promise<TerminalSession[]> {
  return (await answer(client.GET('/api/terminal/sessions', { signal }))).sessions;
}

/** Ends the shell of a session. Its viewers are told. */
export async function endSession(sessionId: string): Promise<void> {
  await answer(client.DELETE('/api/terminal/sessions/{session_id}', { params: { path: { session_id: sessionId } } }));
}

const SOURCES: Record<string, string> = { ui: 'Browser', cli: 'Command line', vscode: 'Editor' };

/** Where a session was opened, in words: "Browser, Chrome on Linux". */
export function describeOrigin({ source, browser, os }: Pick<TerminalSession, 'source' | 'browser' | 'os'>): string {
  const where = SOURCES[source] ?? source;
  if (source !== 'ui' || browser === '' || browser === 'Unknown') return where;
  return os === '' || os === 'Unknown' ? browser : `${browser} on ${os}`;
}
