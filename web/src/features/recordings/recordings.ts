/** Recordings of terminal sessions: what the API says of them, and how that reads. */
import { answer, CONSOLE, client } from '../../api/client';
import type { components } from '../../api/schema';

export type Recording = components['schemas']['Recording'];

/** How many a page shows at once. */
export const SHOWN = 20;

export interface Recordings {
  recordings: Recording[];
  total: number;
}

/** The newest recordings of a machine, and how many there are. */
export async function listRecordings(agentId: string, limit: number, signal: AbortSignal): Promise<Recordings> {
  const params = { path: { agent_id: agentId }, query: { limit } };
  return answer(client.GET('/api/machines/{agent_id}/recordings', { params, signal }));
}

export async function findRecording(id: string, signal: AbortSignal): Promise<Recording> {
  const params = { path: { recording_id: id } };
  return (await answer(client.GET('/api/recordings/{recording_id}', { params, signal }))).recording;
}

export async function deleteRecording(id: string): Promise<void> {
  await answer(client.DELETE('/api/recordings/{recording_id}', { params: { path: { recording_id: id } } }));
}

/** Where the file is. */
export function fileOf(id: string): string {
  return `/api/recordings/${encodeURIComponent(id)}/download`;
}

/** What the player loads: an index, and of that what it plays. */
export interface Playback {
  url: string;
  format: 'segmented';
  fetchOpts: RequestInit;
}

/** Where the player finds the index, and how it asks for all of it. */
export function playbackOf(id: string): Playback {
  const url = `/api/recordings/${encodeURIComponent(id)}/segments?format=player`;
  return { url, format: 'segmented', fetchOpts: { headers: CONSOLE } };
}

/** When a moment is played, in seconds: long pauses are shorter there. */
export async function playedAt(id: string, moment: number): Promise<number> {
  const params = { path: { recording_id: id }, query: { format: 'player' as const, t: moment } };
  const index = await answer(client.GET('/api/recordings/{recording_id}/segments', { params }));
  return ('start_at' in index && index.start_at) || 0;
}

/** Where the player watches a session that runs, with a ticket that is good for one socket. */
export async function liveOf(id: string): Promise<string> {
  const params = { path: { recording_id: id } };
  const { ticket } = await answer(client.POST('/api/recordings/{recording_id}/ticket', { params }));
  const { protocol, host } = location;
  const scheme = protocol === 'https:' ? 'wss' : 'ws';
  return `${scheme}://${host}/api/recordings/${encodeURIComponent(id)}/live?ticket=${encodeURIComponent(ticket)}`;
}

/** What the player watches: a socket, and what it asks when that is lost, namely how long to wait. */
export interface Watched {
  driver: 'websocket';
  url: string;
  reconnectDelay: () => number;
}

/** The longest wait that timers know, in milliseconds: whoever hears of the loss makes another player long before. */
const NEVER = 2 ** 31 - 1;

/** A socket that is opened once, as its ticket is used then; `onlost` has to ask for another. */
export function watched(url: string, onlost: () => void): Watched {
  const reconnectDelay = (): number => {
    onlost();
    return NEVER;
  };
  return { driver: 'websocket', url, reconnectDelay };
}

/** What a refused ticket's `code` says once the session is over: its recording is to be played. */
export const OVER = 'recording_over';

/** "4:07", "1:02:09". */
export function playingTime(seconds: number): string {
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number: number): string => String(number).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** What a person should know of a recording that is not simply all there. */
export function describeState({ state }: Pick<Recording, 'state'>): string | null {
  switch (state) {
    case 'recording':
      return 'is being recorded';
    case 'truncated':
      return 'ends before its session did: it became too long';
    case 'interrupted':
      return 'ends early: the agent was restarted, or the machine deleted';
    default:
      return null;
  }
}

/** The moment to begin with that an address names: `t=90` is a minute and a half. */
export function momentOf(query: string): number | undefined {
  const seconds = Number(new URLSearchParams(query).get('t') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds > 0 ? seconds : undefined;
}
