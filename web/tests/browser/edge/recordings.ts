/** What was recorded. */
import type { WebSocket } from 'ws';
import { type Answer, type Body, NOW } from './answers';

/** What players of a session that runs speak. */
export const LIVE = 'v2.asciicast';

export class Recordings {
  readonly all: Body[] = [];
  readonly #files = new Map<string, string>();
  readonly #segments = new Map<string, Body[]>();
  /** The tickets that were given to watch, each used once. */
  readonly #tickets = new Map<string, string>();
  readonly #watching = new Set<WebSocket>();
  #given = 0;

  /** A recording of a session in which the terminal wrote `text`. */
  add(agentId: string, text: string, facts: Body = {}): Body {
    const id = String(this.all.length + 1).padStart(24, '0');
    const recording = {
      id,
      session_id: `s${id}`,
      agent_id: agentId,
      machine_id: agentId.padStart(24, '0'),
      machine_name: 'web-1',
      tenant_id: 'ada',
      user_id: '1',
      username: 'ada',
      s3_key: `recordings/${id}/`,
      state: 'complete',
      size_bytes: 20_000,
      output_bytes: 18_000,
      duration_seconds: 247,
      cols: 80,
      rows: 24,
      exit_code: 0,
      created_at: NOW,
      ended_at: NOW,
      expires_at: '2026-05-06T12:00:00Z',
      can_delete: true,
      ...facts,
    };
    this.all.unshift(recording);
    const header = { version: 2, width: 80, height: 24, timestamp: 1_770_379_200, title: 'Session' };
    const events = [
      [0, 'o', ''],
      [0.2, 'b', 'eA=='],
      [0.3, 'o', text],
    ];
    this.#files.set(id, [header, ...events].map((line) => `${JSON.stringify(line)}\n`).join(''));
    this.#segments.set(id, [segment(0, '', text)]);
    return recording;
  }

  /** One with a segment of a hundred seconds for each text, which begins with the screen of the one before. */
  addLong(agentId: string, texts: string[]): Body {
    const recording = this.add(agentId, texts.join(''));
    const segments = texts.map((text, index) => segment(100 * index, texts.slice(0, index).join(''), text));
    this.#segments.set(String(recording.id), segments);
    return recording;
  }

  /** The file at a path, if it is one. */
  file(path: string): string | undefined {
    return this.#files.get(/^\/api\/recordings\/(\d+)\/download$/.exec(path)?.[1] ?? '');
  }

  /** Uses a ticket up, and says whether the path is that of the recording to watch. */
  mayWatch({ pathname, searchParams }: URL): boolean {
    const ticket = searchParams.get('ticket') ?? '';
    const id = this.#tickets.get(ticket);
    this.#tickets.delete(ticket);
    return id !== undefined && pathname === `/api/recordings/${id}/live`;
  }

  /** Shows what the terminal shows, and then what it writes. */
  watch(socket: WebSocket, shown: string): void {
    this.#watching.add(socket);
    socket.on('close', () => this.#watching.delete(socket));
    socket.send(JSON.stringify({ version: 2, width: 80, height: 24 }));
    socket.send(JSON.stringify([0, 'o', shown]));
  }

  /** Cuts all who watch, without a word. */
  cut(): void {
    for (const socket of this.#watching) socket.terminate();
  }

  answer(method: string, path: string, query: URLSearchParams): Answer | null {
    const of = /^\/api\/machines\/(\d+)\/recordings$/.exec(path)?.[1];
    if (of !== undefined) {
      const rows = this.all.filter(({ agent_id }) => agent_id === of);
      const limit = Number(query.get('limit') ?? 50);
      return [200, { recordings: rows.slice(0, limit), total: rows.length, limit, skip: 0 }];
    }
    const [, played, offset] = /^\/api\/recordings\/(\d+)\/segments(?:\/(\d+))?$/.exec(path) ?? [];
    const segments = this.#segments.get(played ?? '');
    if (segments !== undefined && query.get('format') === 'player')
      return [200, offset === undefined ? index(path, segments, query.get('t')) : segments[Number(offset)]];
    const watched = /^\/api\/recordings\/(\d+)\/ticket$/.exec(path)?.[1];
    if (watched !== undefined) {
      const recording = this.all.find(({ id }) => id === watched);
      if (recording?.state !== 'recording') return [409, { error: 'The session is over', code: 'recording_over' }];
      const ticket = `watch-${++this.#given}`;
      this.#tickets.set(ticket, watched);
      return [201, { ticket, expires_in: 30 }];
    }
    const id = /^\/api\/recordings\/(\d+)$/.exec(path)?.[1];
    if (id === undefined) return null;
    const at = this.all.findIndex((recording) => recording.id === id);
    if (at < 0) return [404, { error: 'Recording not found' }];
    if (method === 'DELETE') {
      this.all.splice(at, 1);
      return [200, { message: 'Recording deleted' }];
    }
    return [200, { recording: this.all[at] }];
  }
}

/** What a terminal wrote within a second, and nothing for the rest of a hundred. */
function segment(start: number, screen: string, text: string): Body {
  const events = [
    [start, 'o', ''],
    [start + 0.3, 'o', text],
    [start + 99, 'o', ''],
  ];
  return { snapshot: { cols: 80, rows: 24, init: screen }, events };
}

/** The index of some. Nothing is left out here, so a moment is played when it was. */
function index(path: string, segments: Body[], t: string | null): Body {
  return {
    version: 1,
    duration: 100 * (segments.length - 1) + 99,
    term: { cols: 80, rows: 24 },
    segments: segments.map((_, index) => ({ start: 100 * index, url: `${path}/${index}?format=player` })),
    start_at: t === null ? null : Number(t),
  };
}
