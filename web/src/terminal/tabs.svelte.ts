/**
 * The open terminals of this browser tab. They are kept in the session storage, so that a reload finds the running shells
 * again; a second browser tab has its own. Small on purpose: the terminal's code is loaded when a terminal is looked at.
 */
import { router } from '../router.svelte';
import { mintSessionId, mintViewerId } from './ids';

/** A host that has no agent: a runner opens a terminal there by SSH. */
export interface Host {
  /** Whether it is named by the thing of the inventory that it is, or by what services call it. */
  by: 'thing' | 'hostname';
  /** The thing's number, or the host's name. */
  id: string;
  /** As whom; empty for the user that the runner's service names. */
  user: string;
}

export interface Tab {
  /** The session, which is also the tab's name among its peers. */
  sessionId: string;
  /** The machine's agent; empty of a host that has none. */
  agentId: string;
  /** What people call where it is. */
  machineName: string;
  /** Where it is, if that is no machine with an agent. */
  host?: Host;
  /** Who this tab is to the relay. */
  viewer: string;
  /** How the shell ended, once it has: a reload must not start another in its place. */
  ended: string | null;
  /** By which invitation one is there, if the session is somebody else's, and whose it is. */
  shared?: { id: string; owner: string };
}

const KEY = 'vsay.tabs';

class Tabs {
  #list = $state<Tab[]>([]);
  #active = $state<string | null>(null);

  constructor() {
    const { list, active } = parse(sessionStorage.getItem(KEY));
    this.#list = list;
    this.#active = list.some((tab) => tab.sessionId === active) ? active : (list[0]?.sessionId ?? null);
  }

  get list(): readonly Tab[] {
    return this.#list;
  }

  get active(): Tab | null {
    return this.#list.find((tab) => tab.sessionId === this.#active) ?? null;
  }

  has(sessionId: string): boolean {
    return this.#list.some((tab) => tab.sessionId === sessionId);
  }

  /** A new tab, after the active one: for a new session, or for one that runs. */
  open(agentId: string, machineName: string, sessionId = mintSessionId()): void {
    if (!this.has(sessionId)) {
      const at = this.#list.findIndex((tab) => tab.sessionId === this.#active);
      this.#list.splice(at + 1, 0, { sessionId, agentId, machineName, viewer: mintViewerId(), ended: null });
    }
    this.activate(sessionId);
  }

  /** The same on a host without an agent. */
  openHost(host: Host, machineName: string, sessionId = mintSessionId()): void {
    if (!this.has(sessionId)) {
      const at = this.#list.findIndex((tab) => tab.sessionId === this.#active);
      this.#list.splice(at + 1, 0, { sessionId, agentId: '', machineName, host, viewer: mintViewerId(), ended: null });
    }
    this.activate(sessionId);
  }

  /** A tab for a session of somebody else's. One that is there already takes this invitation. */
  openShared(sessionId: string, agentId: string, machineName: string, shared: { id: string; owner: string }): void {
    const known = this.#list.find((tab) => tab.sessionId === sessionId);
    if (known) Object.assign(known, { shared, ended: null });
    else this.#list.push({ sessionId, agentId, machineName, viewer: mintViewerId(), ended: null, shared });
    this.activate(sessionId);
  }

  activate(sessionId: string): void {
    this.#active = sessionId;
    this.#save();
  }

  close(sessionId: string): void {
    const at = this.#list.findIndex((tab) => tab.sessionId === sessionId);
    if (at < 0) return;
    this.#list.splice(at, 1);
    if (this.#active === sessionId) this.#active = (this.#list[at] ?? this.#list[at - 1])?.sessionId ?? null;
    this.#save();
  }

  /** Puts a new session in the place of one that is over. */
  restart({ sessionId, agentId, machineName, host }: Tab): void {
    this.activate(sessionId);
    if (host) this.openHost($state.snapshot(host), machineName);
    else this.open(agentId, machineName);
    this.#list = this.#list.filter((tab) => tab.sessionId !== sessionId);
    this.#save();
  }

  /** The shell of a tab ended. */
  markEnded(sessionId: string, how: string): void {
    const tab = this.#list.find((candidate) => candidate.sessionId === sessionId);
    if (!tab || tab.ended === how) return;
    tab.ended = how;
    this.#save();
  }

  clear(): void {
    this.#list = [];
    this.#active = null;
    this.#save();
  }

  #save(): void {
    sessionStorage.setItem(KEY, JSON.stringify({ list: this.#list, active: this.#active }));
  }
}

/** Checks what the storage holds, tab by tab. */
export function parse(text: string | null): { list: Tab[]; active: string | null } {
  try {
    const { list, active } = JSON.parse(text ?? '{}') as { list?: unknown; active?: unknown };
    return { list: Array.isArray(list) ? list.filter(isTab) : [], active: typeof active === 'string' ? active : null };
  } catch {
    return { list: [], active: null };
  }
}

function isTab(value: unknown): value is Tab {
  if (typeof value !== 'object' || value === null) return false;
  const { sessionId, agentId, machineName, viewer, ended, shared, host } = value as Record<string, unknown>;
  const isPlace = host === undefined ? agentId !== '' : isHost(host);
  const isNamed = [sessionId, machineName].every((text) => typeof text === 'string' && text !== '');
  const named = isNamed && typeof agentId === 'string' && isPlace;
  const who = typeof viewer === 'string' && /^[0-9a-f]{32}$/.test(viewer);
  return named && who && (ended === null || typeof ended === 'string') && (shared === undefined || isShared(shared));
}

function isShared(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { id, owner } = value as Record<string, unknown>;
  return typeof id === 'string' && typeof owner === 'string';
}

function isHost(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { by, id, user } = value as Record<string, unknown>;
  const isNamed = by === 'hostname' ? id !== '' : by === 'thing' && /^\d+$/.test(String(id));
  return isNamed && typeof id === 'string' && typeof user === 'string';
}

/** Whether two terminals are at the same place. */
export function isSamePlace(one: Tab, other: Tab): boolean {
  return one.agentId === other.agentId && one.host?.by === other.host?.by && one.host?.id === other.host?.id;
}

export const tabs = new Tabs();

/** Opens a new shell on a machine. */
export function connectTo({ agent_id, name }: { agent_id: string; name: string }): void {
  tabs.open(agent_id, name);
  router.go('/terminal');
}

/** Opens a new shell on a host without an agent. Whoever goes back comes to where they asked for it. */
export function connectBySsh(host: Host, name: string): void {
  tabs.openHost(host, name);
  router.go('/terminal', { replace: true });
}

/** Shows a session that somebody has shared. */
export function attachToShared(share: {
  id: string;
  session_id: string;
  agent_id: string;
  machine_name: string;
  owner: string;
}): void {
  tabs.openShared(share.session_id, share.agent_id, share.machine_name, { id: share.id, owner: share.owner });
  router.go('/terminal');
}

/** Shows a session that runs: on a machine, or on the host where one opened it. */
export function attachTo(session: {
  agent_id: string;
  machine_name: string;
  session_id: string;
  target?: string | null;
  target_user?: string | null;
}): void {
  const { target, target_user, session_id } = session;
  if (target) tabs.openHost({ by: 'hostname', id: target, user: target_user ?? '' }, target, session_id);
  else tabs.open(session.agent_id, session.machine_name, session_id);
  router.go('/terminal');
}
