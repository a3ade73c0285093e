/** Commands: what was sent, and how far a test lets each come. */
import type { Administration } from './administration';
import { type Answer, type Body, NOW, paged, type Routes } from './answers';

export type FakeCommand = Body & { command_id: string; agent_id: string; status: string };

export class Commands {
  readonly sent: FakeCommand[] = [];
  /** Machines that are away, by their public names. */
  readonly away = new Set<string>();

  send(agentId: string, body: Body, batchId: string | null): FakeCommand {
    const command: FakeCommand = {
      command_id: `cmd_${String(this.sent.length + 1).padStart(24, '0')}`,
      batch_id: batchId,
      session_id: null,
      agent_id: agentId,
      machine_name: `machine-${Number(agentId)}`,
      username: 'ada',
      source: 'api',
      command: body.command,
      allow_sudo: false,
      status: this.away.has(agentId) ? 'queued' : 'sent',
      exit_code: null,
      signal: null,
      error: null,
      decided_by: null,
      decided_at: null,
      decision_reason: null,
      truncated: false,
      duration_ms: null,
      created_at: NOW,
      sent_at: null,
      finished_at: null,
      output_available: false,
      stdout: '',
      stderr: '',
    };
    this.sent.push(command);
    return command;
  }

  /** A command ends. */
  end(command: FakeCommand | undefined, facts: Body): void {
    Object.assign(command ?? {}, { status: 'completed', output_available: true, finished_at: NOW, ...facts });
  }
}

/** What a list is narrowed by. */
const NARROWED = ['agent_id', 'batch_id', 'status'] as const;

export function commands(state: Administration): Routes {
  const of = state.commands;
  const found = (id: string | undefined, change?: Body): Answer => {
    const command = of.sent.find(({ command_id }) => command_id === id);
    if (!command) return [404, { error: 'Command not found' }];
    return [200, change === undefined ? command : Object.assign(command, change)];
  };
  return {
    'POST /api/machines/*/command': ({ at: [agentId = ''], body }) => {
      if (of.away.has(agentId) && body.when_online !== true) return [503, { error: 'agent not connected' }];
      const { command_id, command, status } = of.send(agentId, body, null);
      return [200, { command_id, command, status, message: 'Command sent' }];
    },
    'POST /api/commands': ({ body }) => {
      const batch_id = 'b'.repeat(24);
      const targets = (body.agent_ids as string[]).map((agent_id) => {
        const refused = of.away.has(agent_id) && body.when_online !== true;
        const command = refused ? null : of.send(agent_id, body, batch_id);
        return {
          agent_id,
          machine_name: `machine-${Number(agent_id)}`,
          command_id: command?.command_id ?? null,
          status: command?.status ?? null,
          error: refused ? 'agent not connected' : null,
        };
      });
      return [201, { batch_id, targets }];
    },
    'GET /api/commands': ({ query }) => [
      200,
      paged(
        'commands',
        of.sent
          .filter((command) => NARROWED.every((name) => (query.get(name) ?? command[name]) === command[name]))
          .reverse(),
        query,
      ),
    ],
    'GET /api/commands/*': ({ at: [id] }) => found(id),
    'POST /api/commands/*/decision': ({ at: [id], body }) =>
      found(id, {
        status: body.approve === true ? 'sent' : 'rejected',
        error: body.approve === true ? null : `ada rejected it: ${body.reason}`,
        decided_by: 'ada',
        decided_at: NOW,
        decision_reason: body.reason === '' ? null : body.reason,
      }),
    'POST /api/commands/*/cancel': ({ at: [id] }) =>
      found(id, { status: 'cancelled', error: 'it was cancelled', output_available: true }),
  };
}
