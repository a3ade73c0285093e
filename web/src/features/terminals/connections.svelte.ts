/** The connections of the open tabs. They live on while the person looks at other pages of the console. */
import { untrack } from 'svelte';
import { SvelteMap } from 'svelte/reactivity';
import { answer, client } from '../../api/client';
import { ApiError, errorFrom } from '../../api/error';
import { auth } from '../../auth/auth.svelte';
import { Connection } from '../../terminal/connection.svelte';
import type { Size } from '../../terminal/messages';
import { CONNECT_TIMEOUT, Refusal } from '../../terminal/socket';
import { describeStatus, type Status } from '../../terminal/status';
import { type Tab, tabs } from '../../terminal/tabs.svelte';
import { preferences } from './preferences.svelte';

const connections = new SvelteMap<string, Connection>();

/** Connections that the server closed: it was asked since whether the person is still signed in. */
const closed = new WeakSet<Connection>();

/** The connection of a tab; nothing when it was not looked at yet, or its shell ended before this page was loaded. */
export function connectionOf(tab: Tab): Connection | null {
  return connections.get(tab.sessionId) ?? null;
}

/** What a tab's connection is doing; `unseen` when the tab was not looked at since the page was loaded. */
export function stateOf(tab: Tab): Status['name'] | 'unseen' {
  return connectionOf(tab)?.status.name ?? (tab.ended === null ? 'unseen' : 'ended');
}

function connect(tab: Tab): void {
  if (connections.has(tab.sessionId) || tab.ended !== null) return;
  const connection = new Connection({
    viewer: tab.viewer,
    look: preferences.look,
    url: (size, signal) => address(tab, size, signal),
    refused: () => whyRefused(tab),
  });
  connections.set(tab.sessionId, connection);
}

// The shells go on, and so do the tabs after a reload. But a key pressed by mistake should not take a terminal from the screen.
window.addEventListener('beforeunload', (event) => {
  const used = [...connections].some(([sessionId, connection]) => tabs.has(sessionId) && connection.isInUse);
  if (used) event.preventDefault();
});

$effect.root(() => {
  $effect(() => {
    const tab = tabs.active;
    if (tab) untrack(() => connect(tab));
  });
  $effect(() => {
    for (const [sessionId, connection] of connections) {
      const { status } = connection;
      if (status.name !== 'closed') closed.delete(connection);
      else if (!closed.has(connection)) {
        closed.add(connection);
        // Whoever was put out should not look at a terminal that is of no use any more.
        void untrack(() => auth.reload());
      }
      if (!tabs.has(sessionId)) {
        connections.delete(sessionId);
        connection.leave();
      } else if (status.name === 'ended' || (status.name === 'closed' && status.over)) {
        tabs.markEnded(sessionId, describeStatus(status, 0));
      }
    }
  });
  $effect(() => {
    const { look } = preferences;
    for (const { terminal } of connections.values()) terminal.restyle(look);
  });
});

/** Where a tab's terminal is in the API: its socket, what makes tickets for that, and what else it is asked with. */
interface Place {
  socket: string;
  ticket: (signal: AbortSignal) => Promise<{ ticket: string }>;
  query: Record<string, string>;
}

/** On its machine, on a host without an agent, or where somebody has shared it. */
function placeOf({ agentId, host, shared }: Tab): Place {
  if (shared) {
    const path = { share_id: shared.id };
    return {
      socket: `/api/shares/${shared.id}/ws`,
      ticket: (signal) => answer(client.POST('/api/shares/{share_id}/ticket', { params: { path }, signal })),
      query: {},
    };
  }
  if (!host) {
    const path = { agent_id: agentId };
    return {
      socket: `/api/terminal/${agentId}/ws`,
      ticket: (signal) => answer(client.POST('/api/terminal/{agent_id}/ticket', { params: { path }, signal })),
      query: {},
    };
  }
  const query: Place['query'] = host.user === '' ? {} : { user: host.user };
  const id = encodeURIComponent(host.id);
  if (host.by === 'thing') {
    const path = { object_id: host.id };
    return {
      socket: `/api/inventory/ws/${id}/action`,
      ticket: (signal) => answer(client.POST('/api/inventory/ws/{object_id}/ticket', { params: { path }, signal })),
      query,
    };
  }
  const path = { hostname: host.id };
  return {
    socket: `/api/inventory/server/ssh/${id}`,
    ticket: (signal) => answer(client.POST('/api/inventory/server/ssh/{hostname}/ticket', { params: { path }, signal })),
    query,
  };
}

/** Where the terminal is, with a ticket: an address is no place for what works longer. */
async function address(tab: Tab, { cols, rows }: Size, signal: AbortSignal): Promise<string> {
  const { socket, query } = placeOf(tab);
  const url = new URL(socket, location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const ticket = await ticketFor(tab, signal);
  const asked = { ...query, ticket, session_id: tab.sessionId, source: 'ui', cols: String(cols), rows: String(rows) };
  url.search = new URLSearchParams(asked).toString();
  return url.href;
}

/** Statuses that stay: the person may not, there is nothing to connect to, or what is asked for makes no sense. */
const FINAL: ReadonlySet<number> = new Set([400, 401, 403, 404, 409, 410]);

async function ticketFor(tab: Tab, signal: AbortSignal): Promise<string> {
  const { ticket } = await placeOf(tab)
    .ticket(signal)
    .catch((cause: unknown) => {
      if (!(cause instanceof ApiError) || !FINAL.has(cause.status)) throw cause;
      throw new Refusal(cause.status === 401 ? 'You are signed out.' : cause.message);
    });
  return ticket;
}

/** A browser does not tell why an upgrade was refused; the same request without the upgrade does. */
async function whyRefused(tab: Tab): Promise<string | null> {
  const signal = AbortSignal.timeout(CONNECT_TIMEOUT);
  const { socket, query } = placeOf(tab);
  const asked = { ...query, ticket: await ticketFor(tab, signal), session_id: tab.sessionId };
  const response = await fetch(`${socket}?${new URLSearchParams(asked).toString()}`, { signal });
  if (!FINAL.has(response.status)) return null;
  return errorFrom(response.status, await response.json().catch(() => null)).message;
}
