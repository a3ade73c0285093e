import { describe, expect, it } from 'vitest';
import { type Command, describeCommand, isOver } from './commands';

const command = (facts: Partial<Command>): Command =>
  ({ status: 'completed', exit_code: null, signal: null, error: null, ...facts }) as Command;

describe('a command in words', () => {
  it.each([
    [{ status: 'queued' }, 'Waits for the machine', 'warn'],
    [{ status: 'sent' }, 'Running', 'warn'],
    [{ exit_code: 0 }, 'Done', 'ok'],
    [{ exit_code: 3 }, 'Exit code 3', 'bad'],
    [{ exit_code: 127 }, 'Exit code 127: command not found', 'bad'],
    [{ signal: 'SIGSEGV' }, 'Ended by SIGSEGV', 'bad'],
    [{ status: 'cancelled', error: 'it was cancelled' }, 'Cancelled', 'idle'],
    [{ status: 'cancelled', error: 'the right to it was withdrawn' }, 'Cancelled: the right to it was withdrawn', 'idle'],
    [{ status: 'awaiting_approval', error: 'rm needs approval' }, 'Waits for approval: rm needs approval', 'warn'],
    [{ status: 'refused', error: 'rm must not run' }, 'Refused: rm must not run', 'bad'],
    [{ status: 'rejected', error: 'ann rejected it: no' }, 'Rejected: ann rejected it: no', 'bad'],
    [{ status: 'failed', error: 'agent not connected' }, 'It did not run: agent not connected', 'bad'],
  ] as const)('%o is “%s”', (facts, words, tone) => {
    expect(describeCommand(command(facts))).toEqual({ words, tone });
  });

  it('is over unless it waits or runs', () => {
    const statuses = [
      'queued',
      'sent',
      'completed',
      'timeout',
      'cancelled',
      'failed',
      'unknown',
      'expired',
      'awaiting_approval',
      'refused',
      'rejected',
    ] as const;
    expect(statuses.filter((status) => !isOver({ status }))).toEqual(['queued', 'sent', 'awaiting_approval']);
  });
});
