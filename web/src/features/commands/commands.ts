/** Commands without a terminal: what the API says of them, and how that reads. */
import { answer, client } from '../../api/client';
import { given, type Rows } from '../../api/query';
import type { components } from '../../api/schema';

export type Command = components['schemas']['Command'];
export type CommandDetail = components['schemas']['CommandDetail'];
export type Batch = components['schemas']['Batch'];
type Tone = 'ok' | 'warn' | 'bad' | 'idle';

/** Most machines of one request, as the API has it. */
export const MAX_TARGETS = 50;

/** Sends a command to one machine. Answers its name. */
export async function runCommand(agentId: string, command: string, whenOnline: boolean): Promise<string> {
  const params = { path: { agent_id: agentId } };
  const body = { command, when_online: whenOnline };
  return (await answer(client.POST('/api/machines/{agent_id}/command', { params, body }))).command_id;
}

/** Sends a command to many machines. */
export async function runOnMachines(agentIds: string[], command: string, whenOnline: boolean): Promise<Batch> {
  const body = { command, agent_ids: agentIds, when_online: whenOnline };
  return answer(client.POST('/api/commands', { body }));
}

export async function findCommand(commandId: string, signal: AbortSignal): Promise<CommandDetail> {
  const params = { path: { command_id: commandId } };
  return answer(client.GET('/api/commands/{command_id}', { params, signal }));
}

export interface CommandsQuery {
  /** The public name of one machine; empty for all. */
  agent_id: string;
  /** Those that were sent together; empty for all. */
  batch_id: string;
  status: string;
}

/** The commands that were sent to the machines that the person reaches, the newest first. */
export async function listCommands(
  query: CommandsQuery & { page: number; limit: number },
  signal: AbortSignal,
): Promise<Rows<Command>> {
  const params = { query: given({ ...query }) };
  const { commands, total } = await answer(client.GET('/api/commands', { params, signal }));
  return { rows: commands, total };
}

/** The commands that were sent together. */
export async function listBatch(batchId: string, signal: AbortSignal): Promise<Command[]> {
  const query = { batch_id: batchId, limit: MAX_TARGETS };
  return (await answer(client.GET('/api/commands', { params: { query }, signal }))).commands;
}

export async function cancelCommand(commandId: string): Promise<void> {
  await answer(client.POST('/api/commands/{command_id}/cancel', { params: { path: { command_id: commandId } } }));
}

/** Approves or rejects a command that waits for it. */
export async function decideCommand(commandId: string, approve: boolean, reason: string): Promise<void> {
  const params = { path: { command_id: commandId } };
  await answer(client.POST('/api/commands/{command_id}/decision', { params, body: { approve, reason } }));
}

/** From where a command was sent, where that is worth a word. */
export function describeSource({ source, session_id }: Pick<Command, 'source' | 'session_id'>): string {
  if (source === 'script') return 'first script of the machine';
  return session_id == null ? '' : 'asked for in a terminal';
}

/** Whether nothing more will come of it. */
export function isOver({ status }: Pick<Command, 'status'>): boolean {
  return status !== 'queued' && status !== 'sent' && status !== 'awaiting_approval';
}

/** What exit codes mean that shells give by themselves. */
const EXIT_CODES: Readonly<Record<number, string>> = {
  126: 'it cannot be executed',
  127: 'command not found',
  130: 'interrupted',
  137: 'killed',
  143: 'terminated',
};

/** How a command went, as the API and the relay say it. */
export type Facts = Pick<Command, 'exit_code' | 'signal' | 'error'> & { status: string };

/** How a command went, in words, with its colour. */
export function describeCommand(command: Facts): {
  words: string;
  tone: Tone;
} {
  const { status, exit_code, signal, error } = command;
  switch (status) {
    case 'queued':
      return { words: 'Waits for the machine', tone: 'warn' };
    case 'sent':
      return { words: 'Running', tone: 'warn' };
    case 'completed':
      return describeExit(exit_code ?? null, signal);
    case 'timeout':
      return { words: 'Its time was up, and it was killed', tone: 'bad' };
    case 'cancelled':
      return { words: !error || error === 'it was cancelled' ? 'Cancelled' : `Cancelled: ${error}`, tone: 'idle' };
    case 'expired':
      return { words: error ? `Expired: ${error}` : 'Expired', tone: 'bad' };
    case 'awaiting_approval':
      return { words: error ? `Waits for approval: ${error}` : 'Waits for approval', tone: 'warn' };
    case 'refused':
      return { words: error ? `Refused: ${error}` : 'Refused', tone: 'bad' };
    case 'rejected':
      return { words: error ? `Rejected: ${error}` : 'Rejected', tone: 'bad' };
    case 'unknown':
      return { words: 'It was started, and what came of it is not known', tone: 'bad' };
    default:
      return { words: error ? `It did not run: ${error}` : 'It did not run', tone: 'bad' };
  }
}

function describeExit(code: number | null, signal: string | null | undefined): { words: string; tone: Tone } {
  if (code === 0) return { words: 'Done', tone: 'ok' };
  if (code === null) return { words: `Ended by ${signal ?? 'a signal'}`, tone: 'bad' };
  const meaning = EXIT_CODES[code];
  return { words: meaning === undefined ? `Exit code ${code}` : `Exit code ${code}: ${meaning}`, tone: 'bad' };
}
