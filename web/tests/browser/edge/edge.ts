/**
 * The other side of the console, for tests in a browser: serves the built pages with their headers, and as much of the API
 * as the console uses, from memory. What a test wants to happen to machines and links, it says here.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';
import { SUBPROTOCOL } from '../../../src/terminal/messages';
import { Identity } from './identity';
import { LiveChannel } from './live';
import { dashboard, history } from './metrics';
import { LIVE, Recordings } from './recordings';
import { Sharing } from './sharing';
import { Shell } from './shell';

const DIST = fileURLToPath(new URL('../../../dist', import.meta.url));
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
};

/** What makes a computer a machine. */
export const LINE = ` curl -fsSL https://edge.example.com/install.sh | VSAY_TOKEN=${'f0'.repeat(32)} sh -s -- --linux-user ci`;

export interface FakeMachine {
  agent_id: string;
  name: string;
  status: string;
  is_connected: boolean;
  [field: string]: unknown;
}

/** A session as lists have it. */
interface Listed {
  session_id: string;
  agent_id: string;
  machine_name: string;
  [field: string]: unknown;
}

export class Edge {
  readonly machines = new Map<string, FakeMachine>();
  readonly shells = new Map<string, { agentId: string; shell: Shell; started: string }>();
  /** What people call sessions, by session. */
  readonly sessionNames = new Map<string, string>();
  /** Upgrades are answered with this status instead, while it is set. */
  refuseUpgrades: number | null = null;
  /** Tokens that are accepted. */
  readonly tokens = new Set<string>();
  /** People, and how they sign in. */
  readonly identity = new Identity(this.tokens);
  readonly recordings = new Recordings();
  readonly sharing = new Sharing();
  readonly live = new LiveChannel();
  readonly #server: Server;
  /** What the terminal of a session shows that is watched as it is recorded. */
  shown = '';
  /** Every API request is answered with this status instead, while it is set. */
  broken: number | null = null;
  /** Requests that were answered, and bytes of their bodies. */
  readonly answered = new Map<string, { count: number; bytes: number }>();
  /** Tickets that were not used yet, each with its machine or invitation. */
  readonly #tickets = new Map<string, string>();
  readonly #sockets = new WebSocketServer({ noServer: true, handleProtocols: () => SUBPROTOCOL });
  /** Machines that are not for whoever is signed in, by their public names. */
  readonly forbidden = new Set<string>();
  readonly #players = new WebSocketServer({ noServer: true, handleProtocols: () => LIVE });
  #count = 0;

  constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#server.on('upgrade', (request, socket, head) => {
      const url = new URL(request.url ?? '/', 'http://edge');
      const plays = url.pathname.startsWith('/api/recordings/');
      const listens = url.pathname === '/api/live';
      const known = plays ? this.recordings.mayWatch(url) : this.#use(url);
      const refusal = this.refuseUpgrades ?? (known ? null : 401);
      if (refusal !== null) {
        socket.end(`HTTP/1.1 ${refusal} Refused\r\nConnection: close\r\n\r\n`);
        return;
      }
      if (listens) {
        this.live.accept(request, socket, head);
        return;
      }
      if (plays) {
        this.#players.handleUpgrade(request, socket, head, (ws) => this.recordings.watch(ws, this.shown));
        return;
      }
      this.#sockets.handleUpgrade(request, socket, head, (ws) => {
        const shared = this.sharing.of(url.pathname);
        if (shared) {
          const id = String(shared.session_id);
          const { shell } = this.shells.get(id) ?? this.#start(id, String(shared.agent_id));
          shell.attach(ws, true, shared.can_type === true);
          return;
        }
        const thing = thingOf(url);
        const machine = this.#machineOf(url);
        const sessionId = url.searchParams.get('session_id') ?? '';
        const { shell } = this.shells.get(sessionId) ?? this.#start(sessionId, machine?.agent_id ?? '');
        if (thing !== undefined) this.identity.keeping.users.push(url.searchParams.get('user'));
        shell.attach(ws, thing !== undefined || (machine?.is_connected ?? false));
      });
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.live.stop();
    for (const { shell } of this.shells.values()) shell.end();
    this.#server.closeAllConnections();
    this.#server.close();
  }

  add(facts: Partial<FakeMachine> = {}): FakeMachine {
    const agent_id = String(++this.#count).padStart(12, '0');
    const machine: FakeMachine = {
      id: agent_id.padStart(24, '0'),
      agent_id,
      name: `machine-${this.#count}`,
      description: '',
      hostname: '',
      os: '',
      ip_address: '',
      status: 'online',
      is_connected: true,
      cpu_percent: 12,
      memory_percent: 40,
      disk_percent: 61,
      network_rx_bytes: 1200,
      network_tx_bytes: 88_000,
      uptime: '',
      uptime_seconds: 277_000,
      last_active: new Date().toISOString(),
      resource_stats: {
        cpu_percent: 12,
        memory_percent: 40,
        disk_percent: 61,
        network_inbound: 0.0012,
        network_outbound: 0.088,
        uptime_seconds: 277_000,
      },
      metrics_at: new Date().toISOString(),
      health: 'healthy',
      thresholds: {
        cpu: { warning: 85, critical: 95 },
        memory: { warning: 85, critical: 95 },
        disk: { warning: 80, critical: 90 },
      },
      command_policy: { allowed_commands: [], blocked_commands: [], approval_required_commands: [] },
      metadata: {},
      tags: [],
      group_ids: [],
      owner_id: '1',
      linux_user: 'deploy',
      allow_sudo: false,
      created_at: '2026-02-06T12:00:00Z',
      ...facts,
    };
    this.machines.set(agent_id, machine);
    return machine;
  }

  shellOf(sessionId: string): Shell {
    const session = this.shells.get(sessionId);
    if (!session) throw new Error(`no session ${sessionId}`);
    return session.shell;
  }

  #start(sessionId: string, agentId: string): { shell: Shell } {
    const session = { agentId, shell: new Shell(sessionId), started: new Date().toISOString() };
    this.shells.set(sessionId, session);
    return session;
  }

  #machineOf(url: URL): FakeMachine | undefined {
    return this.machines.get(url.pathname.split('/')[3] ?? '');
  }

  /** Uses a ticket up, and says whether it was for this machine or invitation, or for the live channel. */
  #use(url: URL): boolean {
    const ticket = url.searchParams.get('ticket') ?? '';
    const of = this.#tickets.get(ticket);
    this.#tickets.delete(ticket);
    return of !== undefined && of === (thingOf(url) ?? url.pathname.split('/')[3] ?? 'live');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://edge');
    if (!url.pathname.startsWith('/api/')) return file(url.pathname, response);
    const avatar = this.identity.avatars.get(url.pathname);
    if (avatar) {
      response.writeHead(200, { 'Content-Type': avatar.type }).end(Buffer.from(await avatar.arrayBuffer()));
      return;
    }
    const body = await bodyOf(request);
    const route = `${request.method} ${url.pathname}`;
    if (this.broken !== null) {
      response.writeHead(this.broken, { 'Content-Type': 'application/json' }).end('{"error":"broken"}');
      return;
    }
    const token = tokenOf(request, route, body);
    const cast = this.tokens.has(token ?? '') ? this.recordings.file(url.pathname) : undefined;
    if (cast !== undefined) {
      response.writeHead(200, { 'Content-Type': 'application/x-asciicast' }).end(cast);
      return;
    }
    const [status, answer] = this.#answer(route, url, body, token);
    if (status === 302) {
      response.writeHead(status, { Location: String(answer) }).end();
      return;
    }
    const log = this.identity.working.logOf(route);
    if (log && status === 200) return log.stream(response);
    if (typeof answer === 'string') {
      // A file.
      response.writeHead(status, { 'Content-Type': 'application/octet-stream' }).end(answer);
      return;
    }
    const { cookie, rest } = asConsole(route, answer, this.tokens);
    const text = JSON.stringify(rest);
    const tag = `W/"${createHash('sha256').update(text).digest('hex')}"`;
    const known = request.method === 'GET' && request.headers['if-none-match'] === tag;
    const { count, bytes } = this.answered.get(route) ?? { count: 0, bytes: 0 };
    this.answered.set(route, { count: count + 1, bytes: bytes + (known ? 0 : text.length) });
    const headers = { 'Content-Type': 'application/json', ETag: tag, ...cookie };
    if (known) response.writeHead(304, headers).end();
    else response.writeHead(status, headers).end(text);
  }

  #answer(route: string, url: URL, body: Record<string, unknown>, token: string | null): [number, unknown] {
    const open = this.identity.open(route, url.searchParams, body);
    if (open) return open;
    if (url.pathname.endsWith('/ws') || url.pathname.endsWith('/action'))
      return this.#use(url) ? [426, { error: 'Upgrade required' }] : [401, { error: 'x' }];
    if (!this.tokens.has(token ?? '')) return [401, { error: 'Invalid or expired token' }];
    if (url.pathname.endsWith('/ticket') && !url.pathname.startsWith('/api/recordings/')) {
      const channel = url.pathname === '/api/live/ticket' ? 'live' : undefined;
      const of = channel ?? this.#machineOf(url)?.agent_id ?? this.sharing.of(url.pathname)?.id ?? thingOf(url);
      if (of === undefined) return [404, { error: 'Machine not found' }];
      const ticket = `ticket-${++this.#count}`;
      this.#tickets.set(ticket, String(of));
      return [201, { ticket, expires_in: 30 }];
    }
    if (url.pathname.endsWith('/rotate-key')) return [202, { message: 'The agent was asked to make a new key' }];
    if (url.pathname.endsWith('/registration-token')) return [201, { install_command: LINE }];
    const measured = dashboard(route, [...this.machines.values()]) ?? history(route);
    if (measured) return measured;
    const recorded = this.recordings.answer(route.split(' ')[0] ?? '', url.pathname, url.searchParams);
    if (recorded) return recorded;
    const shared = this.sharing.answer(route.split(' ')[0] ?? '', url.pathname, body);
    if (shared) return shared;
    const known = this.identity.signedIn(route, url.searchParams, body);
    if (known) return known;
    const id = decodeURIComponent(url.pathname.split('/').at(-1) ?? '');
    const machine = this.machines.get(id);
    switch (route.replace(id, ':id')) {
      case 'GET /api/:id':
        return [200, { machines: [...this.machines.values()] }];
      case 'POST /api/:id': {
        const taken = [...this.machines.values()].some(({ name }) => name === body.name);
        if (taken) return [409, { error: 'Machine with this name already exists' }];
        const machine = this.add({ ...body, status: 'pending', is_connected: false, hostname: '', install_command: LINE });
        return [201, { machine, install_command: LINE }];
      }
      case 'GET /api/machines/:id':
        if (this.forbidden.has(id)) return [403, { error: 'Not authorized' }];
        return machine ? [200, { machine }] : [404, { error: 'Machine not found' }];
      case 'PUT /api/machines/:id': {
        const taken = [...this.machines.values()].some((other) => other !== machine && other.name === body.name);
        if (taken) return [409, { error: 'Machine with this name already exists' }];
        return machine ? [200, { machine: Object.assign(machine, body) }] : [404, { error: 'Machine not found' }];
      }
      case 'DELETE /api/machines/:id':
        return this.machines.delete(id)
          ? [200, { message: 'Machine deleted successfully' }]
          : [404, { error: 'Machine not found' }];
      case 'GET /api/terminal/:id':
        if (id === 'live') return [200, { sessions: this.#live() }];
        if (url.searchParams.get('status') === 'ended') return [200, this.#past()];
        return [200, { sessions: this.#sessions() }];
      case 'GET /api/sessions/:id': {
        const session = [...this.#sessions(), ...this.#past().sessions].find(({ session_id }) => session_id === id);
        if (!session) return [404, { error: 'Session not found' }];
        const live = this.#live().find(({ session_id }) => session_id === id) ?? null;
        const logs = { logs: [], logs_total: 0, logs_page: 1, logs_limit: 25, logs_total_pages: 0 };
        return [200, { session, live, machine_name: session.machine_name, ...logs }];
      }
      case 'PUT /api/terminal/sessions/:id':
        this.sessionNames.set(id, String(body.name));
        return [200, { session: this.#sessions().find(({ session_id }) => session_id === id) }];
      case 'DELETE /api/terminal/sessions/:id':
        this.shellOf(id).end();
        this.shells.delete(id);
        return [200, { message: 'Session closed' }];
    }
    return [404, { error: `no ${route}` }];
  }

  /** What those do that run. */
  #live(): { session_id: string; agent_id: string }[] {
    return this.#sessions().map(({ session_id, agent_id }) => ({
      session_id,
      agent_id,
      title: 'ada@web-1: ~',
      command: 'make test',
      cwd: '/home/ada',
      cols: 80,
      rows: 24,
      viewers: [{ username: 'ada', can_type: true }],
      last_activity: null,
    }));
  }

  /** One session that is over, on the first machine. */
  #past(): { sessions: Listed[]; total: number; page: number; limit: number; total_pages: number } {
    const [agent_id = ''] = this.machines.keys();
    const times = { started_at: '2026-01-01T10:00:00Z', ended_at: '2026-01-01T11:30:00Z' };
    const session = {
      ...this.#session('s-past', agent_id, times.started_at),
      ...times,
      status: 'closed',
      close_reason: 'terminated',
    };
    return { sessions: agent_id === '' ? [] : [session], total: 1, page: 1, limit: 20, total_pages: 1 };
  }

  #sessions(): Listed[] {
    return [...this.shells]
      .filter(([, { shell }]) => !shell.over)
      .map(([session_id, { agentId, started }]) => this.#session(session_id, agentId, started));
  }

  #session(session_id: string, agent_id: string, started_at: string): Listed {
    return {
      id: `row-${session_id}`,
      session_id,
      name: this.sessionNames.get(session_id) ?? '',
      agent_id,
      machine_name: String(this.machines.get(agent_id)?.name ?? ''),
      user_id: '1',
      username: 'ada',
      source: 'ui',
      status: 'active',
      started_at,
      ended_at: null,
      close_reason: null,
      browser: 'Chrome',
      os: 'Linux',
      ip_address: '127.0.0.1',
      cols: 80,
      rows: 24,
    };
  }
}

/** The thing of the inventory that a socket, or a ticket for it, is for. */
function thingOf({ pathname }: URL): string | undefined {
  return /^\/api\/inventory\/ws\/(\d+)\//.exec(pathname)?.[1];
}

/** The token of a request: its own, or that of the cookie where the console itself asks. */
function tokenOf({ headers }: IncomingMessage, route: string, body: Record<string, unknown>): string | null {
  if (route === 'POST /api/auth/refresh' && typeof body.token === 'string') return body.token;
  const own = headers.authorization?.replace('Bearer ', '');
  const isConsole = headers['x-vsay-console'] !== undefined && headers['sec-fetch-site'] === 'same-origin';
  return own ?? (isConsole ? (/(?:^|; )vsay-session=([^;]+)/.exec(headers.cookie ?? '')?.[1] ?? null) : null);
}

/** What the console is answered: tokens are in cookies. */
function asConsole(
  route: string,
  answer: unknown,
  tokens: ReadonlySet<string>,
): { cookie: Record<string, string>; rest: unknown } {
  const attributes = 'Path=/; HttpOnly; SameSite=Strict';
  if (route === 'POST /api/auth/logout')
    return { cookie: { 'Set-Cookie': `vsay-session=; Max-Age=0; ${attributes}` }, rest: answer };
  const { token, session_token: _, ...rest } = answer as Record<string, unknown>;
  if (typeof token !== 'string' || !tokens.has(token)) return { cookie: {}, rest: answer };
  return { cookie: { 'Set-Cookie': `vsay-session=${token}; ${attributes}` }, rest };
}

/** The fields of a request's JSON or form. */
async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  const type = request.headers['content-type'] ?? '';
  if (!type.startsWith('multipart/form-data')) return JSON.parse(bytes.toString() || '{}') as Record<string, unknown>;
  return Object.fromEntries(await new Response(bytes, { headers: { 'Content-Type': type } }).formData());
}

/** The headers of `public/_headers` that hold for every page. */
function headers(): Record<string, string> {
  const lines = readFileSync(join(DIST, '_headers'), 'utf8').split('\n');
  const rules = lines.slice(lines.indexOf('/*') + 1);
  const block = rules.slice(
    0,
    rules.findIndex((line) => line.trim() === ''),
  );
  return Object.fromEntries(
    block.map((line) => [line.slice(0, line.indexOf(':')).trim(), line.slice(line.indexOf(':') + 1).trim()]),
  );
}

function file(path: string, response: ServerResponse): void {
  const known = extname(path) !== '' ? path : '/index.html';
  try {
    const bytes = readFileSync(join(DIST, known.replaceAll('..', '')));
    response
      .writeHead(200, { ...headers(), 'Content-Type': TYPES[extname(known)] ?? 'application/octet-stream' })
      .end(bytes);
  } catch {
    response.writeHead(404).end();
  }
}
