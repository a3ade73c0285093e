/** What commands may run: lists of programs, as they are typed and as they are. */
import type { components } from './api/schema';

export type CommandPolicy = components['schemas']['CommandPolicy'];

/** The lists in the order in which they are read, each with what it does. */
export const LISTS = [
  ['blocked_commands', 'Never run', 'Commands that run one of these are refused.'],
  ['allowed_commands', 'Run nothing but', 'Empty, everything runs that is not named above.'],
  [
    'approval_required_commands',
    'Ask before running',
    'Commands that run one of these wait until an administrator approves them.',
  ],
] as const satisfies readonly (readonly [keyof CommandPolicy, string, string])[];

export type PolicyDraft = Record<keyof CommandPolicy, string>;

/** Lists as they are typed: a program on each line. */
export function draftOf(policy: CommandPolicy): PolicyDraft {
  return {
    allowed_commands: policy.allowed_commands.join('\n'),
    blocked_commands: policy.blocked_commands.join('\n'),
    approval_required_commands: policy.approval_required_commands.join('\n'),
  };
}

/** The lists of a draft. */
export function policyOf(draft: PolicyDraft): CommandPolicy {
  const list = (text: string) => text.split(/\s+/).filter((entry) => entry !== '');
  return {
    allowed_commands: list(draft.allowed_commands),
    blocked_commands: list(draft.blocked_commands),
    approval_required_commands: list(draft.approval_required_commands),
  };
}

/** What is wrong with a list, of what was wrong with a request. */
export function wrongWith(list: keyof CommandPolicy, fields: Readonly<Record<string, string>>): string | undefined {
  const name = `command_policy.${list}`;
  const wrong = Object.entries(fields).find(([field]) => field === name || field.startsWith(`${name}[`));
  if (!wrong) return undefined;
  const line = /\[(\d+)\]$/.exec(wrong[0])?.[1];
  return line === undefined ? wrong[1] : `Program ${Number(line) + 1} ${wrong[1]}`;
}
