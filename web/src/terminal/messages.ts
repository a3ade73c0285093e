/** The control messages of `vsay.stream.v1`: JSON text frames with a `type` (docs/streams.md). */
import { MAX_SIDE, MIN_SIDE } from './limits';

/** The subprotocol that a browser asks for. */
export const SUBPROTOCOL = 'vsay.stream.v1';

/** The protocol number we speak. */
export const PROTOCOL = 1;

/** Keep-alive. The platform answers this exact text without waking the relay. */
export const PING = '{"type":"ping"}';

/** A terminal's size in characters. */
export interface Size {
  cols: number;
  rows: number;
}

/** How a shell ended. */
export interface Exit {
  code: number | null;
  signal: string | null;
  /** Why it was ended, if a limit did that: `idle_timeout`. */
  reason?: string;
}

/** What a viewer says. */
export type FromViewer =
  | ({
      type: 'hello';
      protocol: number;
      viewer: string;
      received: number | null;
      commands: boolean;
      presence: boolean;
    } & Size)
  | ({ type: 'resize' } & Size)
  | { type: 'ping' };

/** The shell is there. */
export type Attached = {
  type: 'attached';
  protocol: number;
  session_id: string;
  stream: number;
  input: number;
  applied: number;
  offset: number;
  /** Where the output ends now. */
  end: number;
  can_type: boolean;
  resumed: boolean;
  /** By whom the terminal has its size; absent from relays that do not say. */
  sized_by?: string | null;
} & Size;

/** A command without a terminal that was sent to the machine. */
interface SentCommand {
  command_id: string;
  /** Who sent it, by name. */
  by: string;
  /** How its text begins. */
  command: string;
  stdout: string;
  stderr: string;
}

/** One runs, and wrote this since the part before. */
export type CommandRunning = SentCommand & { type: 'command_running'; part: number };

/** One has ended, and what it wrote ends so. */
export type CommandEnded = SentCommand & {
  type: 'command_ended';
  status: string;
  exit_code: number | null;
  signal: string | null;
  error: string | null;
};

/** Somebody who is at the terminal. */
export interface Person {
  /** Whose it is, or what they were invited to do. */
  standing: string;
  username: string;
  user_id: string;
}

/** What the relay says. */
export type ToViewer =
  | Attached
  | CommandRunning
  | CommandEnded
  | { type: 'agent'; online: boolean }
  | { type: 'resume_input'; applied: number }
  | ({ type: 'snapshot'; offset: number } & Size)
  | { type: 'gap'; from: number; to: number }
  | ({ type: 'resized'; by?: string | null } & Size)
  | { type: 'presence'; people: Person[] }
  | ({ type: 'exit' } & Exit)
  | { type: 'error'; error: string; code: string }
  | { type: 'disconnect'; reason: string; code: string }
  | { type: 'pong' };

type Fields = Record<string, (value: unknown) => boolean>;

const text = (value: unknown): boolean => typeof value === 'string';
const flag = (value: unknown): boolean => typeof value === 'boolean';
const count = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;
const side = (value: unknown): boolean => count(value) && Number(value) >= MIN_SIDE && Number(value) <= MAX_SIDE;
const orNull =
  (check: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    value === null || check(value);

const orAbsent =
  (check: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    value === undefined || check(value);

const isPerson = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return false;
  const { standing, username, user_id } = value as Record<string, unknown>;
  return text(standing) && text(username) && text(user_id);
};

const SENT: Fields = { command_id: text, by: text, command: text, stdout: text, stderr: text };

const SHAPES: Record<ToViewer['type'], Fields> = {
  attached: {
    protocol: count,
    session_id: text,
    stream: count,
    input: count,
    applied: count,
    offset: count,
    end: count,
    cols: side,
    rows: side,
    can_type: flag,
    resumed: flag,
    sized_by: orAbsent(orNull(text)),
  },
  agent: { online: flag },
  resume_input: { applied: count },
  snapshot: { offset: count, cols: side, rows: side },
  gap: { from: count, to: count },
  resized: { cols: side, rows: side, by: orAbsent(orNull(text)) },
  command_running: { ...SENT, part: count },
  command_ended: {
    ...SENT,
    status: text,
    exit_code: orNull(Number.isSafeInteger),
    signal: orNull(text),
    error: orNull(text),
  },
  presence: { people: (value) => Array.isArray(value) && value.every(isPerson) },
  exit: { code: orNull(Number.isSafeInteger), signal: orNull(text), reason: orAbsent(text) },
  error: { error: text, code: text },
  disconnect: { reason: text, code: text },
  pong: {},
};

/** Decodes what the relay said. `null` for anything else, such as a message that only a newer relay knows. */
export function decodeMessage(json: string): ToViewer | null {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || !('type' in value)) return null;
  const message = value as Record<string, unknown>;
  if (typeof message.type !== 'string' || !Object.hasOwn(SHAPES, message.type)) return null;
  const fields = SHAPES[message.type as ToViewer['type']];
  const fits = Object.entries(fields).every(([name, check]) => check(message[name]));
  return fits ? (value as ToViewer) : null;
}

export function encodeMessage(message: FromViewer): string {
  return JSON.stringify(message);
}
