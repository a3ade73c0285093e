/**
 * The live channel: the server says that something of a kind has changed, and whoever shows it asks again. While it is open, nothing
 * has to be asked for again and again.
 */
import { answer, client } from './api/client';
import { retryAfter } from './terminal/close';
import { PING } from './terminal/messages';
import { Socket } from './terminal/socket';

export type Topic = 'machines' | 'figures' | 'sessions' | 'commands' | 'activity';

/** The channel looks again who listens (protocol/src/live.rs). */
const COME_BACK = 4012;

/** How long the channel stays open when nobody listens, in milliseconds: another page is about to. */
const LINGERS = 10_000;

/** Told what has changed; nothing if it may be anything, since something may have been missed. */
type Listener = (changed: ReadonlySet<string> | null) => void;

const listeners = new Set<Listener>();
let socket: Socket | null = null;
let leaving: ReturnType<typeof setTimeout> | undefined;

/** Whether whatever changes is heard of. */
export function isLive(): boolean {
  return socket?.state.name === 'open';
}

/** Listens until the returned function is called. */
export function listen(listener: Listener): () => void {
  clearTimeout(leaving);
  listeners.add(listener);
  socket ??= open();
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) leaving = setTimeout(leave, LINGERS);
  };
}

/** What a frame says has changed; `null` if it makes no sense. */
export function changedBy(data: string | ArrayBuffer): ReadonlySet<string> | null {
  try {
    const { changed } = (JSON.parse(String(data)) ?? {}) as { changed?: unknown };
    return Array.isArray(changed) ? new Set(changed.map(String)) : null;
  } catch {
    return null;
  }
}

function open(): Socket {
  let missed = false;
  const channel = new Socket({
    url: address,
    refused: () => Promise.resolve(null),
    protocol: 'vsay.live.v1',
    ping: PING,
    retry: (code) => (code === COME_BACK ? 'soon' : retryAfter(code)),
    onState: ({ name }) => {
      if (name === 'open' && missed) tell(null);
      missed = name !== 'open' && (missed || name === 'waiting');
    },
    onMessage: (data) => {
      const changed = changedBy(data);
      if (changed) tell(changed);
    },
  });
  channel.open();
  return channel;
}

function tell(changed: ReadonlySet<string> | null): void {
  for (const listener of listeners) listener(changed);
}

function leave(): void {
  socket?.close({ code: 1000, reason: '' });
  socket = null;
}

/** Where the channel is, with a ticket that is good for one socket. */
async function address(signal: AbortSignal): Promise<string> {
  const { ticket } = await answer(client.POST('/api/live/ticket', { signal }));
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  return `${scheme}://${location.host}/api/live?ticket=${encodeURIComponent(ticket)}`;
}
