/** Commands without a terminal: what the API says of them, and how that reads. */
import { answer, client } from '../../api/client';
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

/** The commands that were sent together. */
export async function listBatch(batchId: string, signal: AbortSignal): Promise<Command[]> {
  const query = { batch_id: batchId, limit: MAX_TARGETS };
  return (await answer(client.GET('/api/commands', { params: { query }, signal }))).commands;
}

export async function cancelCommand(commandId: string): Promise<void> {
  await answer(client.POST('/api/commands/{command_id}/cancel', { params: { path: { command_id: commandId } } }));
}

/** Whether nothing more will come of it. */
export function isOver({ status }: Pick<Command, 'status'>): boolean {
  return status !== 'queued' && status !== 'sent';
}

/** What exit codes mean that shells give by themselves. */
const EXIT_CODES: Readonly<Record<number, string>> = {
  126: 'it cannot be executed',
  127: 'command not found',
  130: 'interrupted',
  137: 'killed',
  143: 'terminated',
};

/** How a command went, in words, with its colour. */
export function describeCommand(command: Pick<Command, 'status' | 'exit_code' | 'signal' | 'error'>): {
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
      return { words: 'The machine did not come back in time; it did not run', tone: 'bad' };
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
