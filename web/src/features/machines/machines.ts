/** Machines: what the API says of them, and how that reads. */
import { answer, client } from '../../api/client';
import type { components } from '../../api/schema';
import { bytes } from '../../format';

export type Machine = components['schemas']['Machine'];

export type NewMachine = components['schemas']['CreateMachine'];

export type MachineChange = components['schemas']['UpdateMachine'];

/** Longest script of a new machine, in characters, as the API has it. */
export const MAX_SCRIPT = 65_536;

/** All machines that the person may see, by name. */
export async function listMachines(signal: AbortSignal): Promise<Machine[]> {
  return (await answer(client.GET('/api/machines', { signal }))).machines;
}

/** The groups that the person may see, to choose one. */
export async function listGroupNames(signal: AbortSignal): Promise<{ id: string; name: string }[]> {
  return (await answer(client.GET('/api/groups', { signal }))).groups;
}

/** One machine, for a page that shows it and asks again: it is measured every few seconds. */
export async function findMachine(agentId: string, signal: AbortSignal): Promise<Machine> {
  const { machine } = await answer(
    client.GET('/api/machines/{agent_id}', { params: { path: { agent_id: agentId }, query: { live: true } }, signal }),
  );
  return machine;
}

/** Makes a machine that waits for its agent. What makes a computer that machine is in `install_command`. */
export async function createMachine(body: NewMachine): Promise<Machine> {
  const { machine, install_command } = await answer(client.POST('/api/machines', { body }));
  return { ...machine, install_command };
}

export async function updateMachine(agentId: string, body: MachineChange): Promise<Machine> {
  const params = { path: { agent_id: agentId } };
  return (await answer(client.PUT('/api/machines/{agent_id}', { params, body }))).machine;
}

/** Tags as they are typed, with commas between them; each once. */
export function tagsOf(text: string): string[] {
  const tags = text.split(',').map((tag) => tag.trim());
  return [...new Set(tags.filter((tag) => tag !== ''))];
}

/** A new line that makes a computer this machine. Any earlier one is void. */
export async function issueCommand(agentId: string): Promise<string> {
  const path = { agent_id: agentId };
  return (await answer(client.POST('/api/machines/{agent_id}/registration-token', { params: { path } }))).install_command;
}

/** Has the machine's agent make a new key. The audit log says when it is in use. */
export async function rotateKey(agentId: string): Promise<void> {
  await answer(client.POST('/api/machines/{agent_id}/rotate-key', { params: { path: { agent_id: agentId } } }));
}

export async function deleteMachine(agentId: string): Promise<void> {
  await answer(client.DELETE('/api/machines/{agent_id}', { params: { path: { agent_id: agentId } } }));
}

/** What a machine's figures come to, in words; nothing if they are well or nobody knows. */
export function describeHealth({ health }: Pick<Machine, 'health'>): { words: string; tone: 'warn' | 'bad' } | null {
  if (health === 'critical') return { words: 'Critical', tone: 'bad' };
  return health === 'warning' ? { words: 'Warning', tone: 'warn' } : null;
}

export type Tone = 'ok' | 'warn' | 'bad' | 'idle';

/** A machine's state in words, with its colour. */
export function describeState({ status, is_connected }: Pick<Machine, 'status' | 'is_connected'>): {
  words: string;
  tone: Tone;
} {
  switch (status) {
    case 'pending':
      return { words: 'Waiting for its agent', tone: 'warn' };
    case 'revoked':
      return { words: 'Revoked', tone: 'bad' };
    case 'executing_script':
      return { words: 'Runs its script', tone: 'ok' };
    default:
      return is_connected ? { words: 'Online', tone: 'ok' } : { words: 'Offline', tone: 'idle' };
  }
}

/** What agents say of themselves, in words. */
const FACTS: Readonly<Record<string, string>> = {
  cpu_cores: 'Processor cores',
  session_limits: 'Limits of sessions',
  version: 'Agent version',
};

/** A free fact about a machine with its name in words; what is not known here is called as it is. */
export function describeFact([name, value]: [string, string]): [string, string] {
  if (name === 'mem_total_mb' && /^\d+$/.test(value)) return ['Memory', bytes(Number(value) * 1024 * 1024)];
  return [FACTS[name] ?? name, value];
}

/** Whether a terminal can be opened: an offline machine is waited for, one without an agent is not. */
export function canConnect({ status }: Pick<Machine, 'status'>): boolean {
  return status !== 'pending' && status !== 'revoked';
}

/** Whether a machine matches what the person searches: every word in any of its facts. */
export function matches(machine: Machine, search: string): boolean {
  const { name, description, hostname, os, ip_address, agent_id, linux_user, tags } = machine;
  const facts = [name, description, hostname, os, ip_address, agent_id, linux_user, ...tags, describeState(machine).words];
  const text = facts.join('\n').toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
