/** The command log: what was run on machines. */
import stripAnsi from 'strip-ansi';
import { answer, client } from '../../api/client';
import { given } from '../../api/query';
import type { components } from '../../api/schema';

export type CommandLog = components['schemas']['CommandLog'];

export type CommandLogPage = components['schemas']['CommandLogPage'];

export interface CommandQuery {
  q: string;
  machine_id: string;
  user_id: string;
  exit_code: string;
  /** `true`, `false`, or nothing. */
  success: string;
  source: string;
  session_id: string;
  /** Dates as a date field gives them. */
  from: string;
  to: string;
}

export const NO_FILTER: CommandQuery = {
  q: '',
  machine_id: '',
  user_id: '',
  exit_code: '',
  success: '',
  source: '',
  session_id: '',
  from: '',
  to: '',
};

/** Rows that are fetched at once. */
export const AT_ONCE = 50;

/** Where in the log to look: older than one key, or newer than another. */
export interface Place {
  before?: number;
  after?: number;
}

/** Commands of one machine, or, without one, of all. */
export async function listCommands(
  agentId: string | undefined,
  query: CommandQuery,
  place: Place,
  signal: AbortSignal,
): Promise<CommandLogPage> {
  const { machine_id, ...rest } = asked(query);
  const said = { ...rest, ...place, limit: AT_ONCE };
  if (agentId === undefined) {
    const params = { query: given({ ...said, machine_id }) };
    return await answer(client.GET('/api/command-logs', { params, signal }));
  }
  const params = { path: { agent_id: agentId }, query: given(said) };
  return await answer(client.GET('/api/machines/{agent_id}/logs/search', { params, signal }));
}

/** One command, with what it wrote. */
export async function findCommand(key: number, signal: AbortSignal): Promise<CommandLog> {
  return (await answer(client.GET('/api/command-logs/{log_key}', { params: { path: { log_key: String(key) } }, signal })))
    .log;
}

/** What a command wrote, as people read it: without the orders to the terminal, and each line as it was in the end. */
export function readable(output: string): string {
  const lines = stripAnsi(output).replaceAll('\r\n', '\n').split('\n');
  return lines
    .map((line) => line.split('\r').findLast((part) => part !== '') ?? '')
    .join('\n')
    .trimEnd();
}

/** Where the recording of a command's terminal is shown, from when the command began to write. */
export function momentOf({
  recording_id,
  recording_at_ms,
}: Pick<CommandLog, 'recording_id' | 'recording_at_ms'>): string | null {
  if (recording_id === null || recording_id === undefined) return null;
  const seconds = Math.floor((recording_at_ms ?? 0) / 1000);
  return `/recordings/${recording_id}${seconds > 0 ? `?t=${seconds}` : ''}`;
}

/** The filter as the API takes it: days of the person's own zone become moments, and the last day counts. */
export function asked(query: CommandQuery): Record<string, string> {
  const trimmed = Object.entries(query).map(([name, value]) => [name, name === 'q' ? value : value.trim()]);
  return {
    ...(Object.fromEntries(trimmed) as Record<string, string>),
    from: moment(query.from, '00:00:00.000'),
    to: moment(query.to, '23:59:59.999'),
  };
}

function moment(day: string, time: string): string {
  const date = new Date(`${day}T${time}`);
  return day === '' || Number.isNaN(date.getTime()) ? '' : date.toISOString();
}

/** What stands in the place of a text that is not known. */
export function describeText({ command_text, missing }: Pick<CommandLog, 'command_text' | 'missing'>): string {
  switch (command_text) {
    case 'not_kept':
      return 'Not kept by the shell’s history';
    case 'hidden':
      return 'Typed while the terminal showed nothing';
    case 'missing':
      return missing === 1 ? 'One command is missing here' : `${missing} commands are missing here`;
    default:
      return '';
  }
}

/** What the lists of programs had against a command; nothing for others. */
export function describePolicy({ policy }: Pick<CommandLog, 'policy'>): string {
  switch (policy) {
    case 'warned':
      return 'Against the lists';
    case 'refused':
      return 'Refused';
    default:
      return '';
  }
}

/** How a command is known of that the shell did not announce; nothing for others. */
export function describeSeen({ seen }: Pick<CommandLog, 'seen'>): string {
  switch (seen) {
    case 'unannounced':
      return 'Not announced';
    case 'screen':
      return 'Read from the screen';
    default:
      return '';
  }
}

/** How a command ended, in a word or two; nothing if all is well. */
export function describeOutcome({ outcome, exit_code }: Pick<CommandLog, 'outcome' | 'exit_code'>): string {
  if (outcome === 'stopped') return 'Stopped';
  if (outcome === 'unknown') return 'End not seen';
  return exit_code === 0 ? '' : `Exit ${exit_code ?? '?'}`;
}

/** "1.2 s", "340 ms". */
export function took(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '';
  if (ms < 1000) return `${ms} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return ms < 3_600_000 ? `${Math.round(ms / 60_000)} min` : `${(ms / 3_600_000).toFixed(1)} h`;
}
