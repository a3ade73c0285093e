/** How jobs read. */
import type { Job } from './api';

type Tone = 'ok' | 'warn' | 'bad' | 'idle';

/** What the list can be narrowed to. */
export const STATES = [
  ['', 'Every state'],
  ['running', 'Running'],
  ['completed', 'Done'],
  ['failed', 'Failed or cancelled'],
] as const;

/** What can be run again: the actions whose inputs are kept. */
export const REPEATABLE: ReadonlySet<string> = new Set(['deploy', 'script']);

/** How a job went, in words, with its colour. */
export function describeJob({ status, cancelled, exit_code }: Pick<Job, 'status' | 'cancelled' | 'exit_code'>): {
  words: string;
  tone: Tone;
} {
  if (status === 'running') return { words: 'Running', tone: 'warn' };
  if (status === 'completed') return { words: 'Done', tone: 'ok' };
  if (cancelled) return { words: 'Cancelled', tone: 'idle' };
  return { words: typeof exit_code === 'number' ? `Failed with exit code ${exit_code}` : 'Failed', tone: 'bad' };
}

/** What begins an escape sequence, and a sequence: of CSI with its last letter, of OSC and its like, and any other. */
const SEQUENCES =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
  /\x1b\[([0-?]*)[ -/]*([@-~])|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\|$)|\x1b[ -/]*[0-~]?/g;

/** Controls that do something to a terminal, but for tab and carriage return. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
const CONTROLS = /[\x00-\x08\x0a-\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f]/g;

/** A line of a log as it may be drawn: with its colours, and what erases a line, and nothing else that moves about or clears the log. */
export function drawable(line: string): string {
  const kept = (all: string, parameters: string | undefined, final: string | undefined): string =>
    (final === 'm' || final === 'K') && /^[\d;:]*$/.test(parameters ?? '') ? all : '';
  return line.replace(SEQUENCES, kept).replace(CONTROLS, '');
}

const ACTIONS: Readonly<Record<string, string>> = {
  deploy: 'Deploy',
  stop: 'Stop',
  stop_all: 'Stop everything',
  stop_instance: 'Stop',
  destroy_instance: 'Destroy',
  refresh: 'Refresh',
};

/** Whether a job is about a service, rather than about what is at a provider. */
export function isOfService({ action }: Pick<Job, 'action'>): boolean {
  return ['deploy', 'script', 'stop'].includes(action);
}

/** What a job does: "Deploy web", "Run add-user of web". */
export function titleOf({ action, script, service }: Pick<Job, 'action' | 'script' | 'service'>): string {
  if (action === 'stop_all') return 'Stop everything';
  if (action === 'script' && script) return `Run ${script} of ${service}`;
  return `${ACTIONS[action] ?? action} ${service}`;
}

/** Who started it: a person, or the clock for one. */
export function whoOf({ username, schedule_name }: Pick<Job, 'username' | 'schedule_name'>): string {
  return schedule_name ? `${schedule_name}, as ${username}` : username;
}

/** How long it took, or takes: "42 s", "3 min 5 s", "1 h 2 min". */
export function tookOf({ started_at, finished_at }: Pick<Job, 'started_at' | 'finished_at'>, now: number): string {
  const end = finished_at ? Date.parse(finished_at) : now;
  return spanOf(end - Date.parse(started_at));
}

/** A span of milliseconds in words; none of what is no number. */
export function spanOf(span: number): string {
  const seconds = Math.max(0, Math.round(span / 1000));
  if (Number.isNaN(seconds)) return '';
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds / 60) % 60} min`;
}
