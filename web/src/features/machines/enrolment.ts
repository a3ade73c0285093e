/** How a computer becomes a machine: the stages on the way, and what may be wrong when one does not come. */
import type { Machine } from './machines';

/** No agent has come; one has; it is connected. */
export type Stage = 'waiting' | 'enrolled' | 'online';

/** When to say what may be wrong, in milliseconds: an installation takes seconds, on a slow network half a minute. */
export const HINT_AFTER = 60_000;

export function stageOf({ status, is_connected }: Pick<Machine, 'status' | 'is_connected'>): Stage {
  if (is_connected) return 'online';
  return status === 'pending' ? 'waiting' : 'enrolled';
}

export interface Step {
  words: string;
  state: 'done' | 'current' | 'to come';
}

/** The stages for people, of which one is current. */
export function stepsOf(machine: Pick<Machine, 'status' | 'is_connected' | 'hostname'>): Step[] {
  const stage = stageOf(machine);
  const enrolled = stage !== 'waiting';
  const online = stage === 'online';
  return [
    {
      words: enrolled ? (machine.hostname === '' ? 'Enrolled' : `Enrolled by ${machine.hostname}`) : 'Waiting for the agent',
      state: enrolled ? 'done' : 'current',
    },
    { words: online ? 'Online' : 'Waiting for it to connect', state: online ? 'done' : enrolled ? 'current' : 'to come' },
  ];
}

/** What to look at when nothing has come for a while, and what to run there for it. */
export function hintFor(stage: Stage, origin: string): { text: string; command: string } {
  if (stage === 'waiting') {
    return {
      text: 'Nothing has come yet. The line says on the computer what fails there. It has to reach this server; this tries it:',
      command: `curl -I ${origin}/health`,
    };
  }
  return { text: 'It has enrolled and does not connect. Its agent says why:', command: 'journalctl -u vsay-agent' };
}
