/** Commands without a terminal, as those see them who look at a terminal of the same machine. */
import type { CommandEnded, CommandRunning } from './messages';

/** How long one that has ended is shown, in milliseconds: long enough to read a line. */
export const ENDED_SHOWN = 12_000;

/** How much of the end of what one wrote is kept, in characters. A few lines are shown. */
const TAIL = 2000;

/** Lines that are shown of it. */
const LINES = 4;

/** Most that are shown at once, as many as a machine runs. */
const MOST = 16;

export interface SeenCommand {
  id: string;
  by: string;
  command: string;
  /** The end of what it wrote. */
  output: string;
  /** The last part that was seen. */
  part: number;
  /** Parts of its output passed by: this page was not there, or was behind. */
  incomplete: boolean;
  /** How it ended, if it did. */
  ended: Pick<CommandEnded, 'status' | 'exit_code' | 'signal' | 'error'> | null;
}

/** The commands that are shown once one was heard of; the newest is the last. */
export function withNews(seen: readonly SeenCommand[], news: CommandRunning | CommandEnded): readonly SeenCommand[] {
  const known = seen.find(({ id }) => id === news.command_id);
  const others = seen.filter((command) => command !== known);
  const { command_id: id, by, command } = news;
  if (news.type === 'command_ended') {
    const { status, exit_code, signal, error } = news;
    const output = end(news.stdout + news.stderr);
    const ended = { status, exit_code, signal, error };
    const part = known?.part ?? -1;
    return [...others, { id, by, command, output, part, incomplete: false, ended }].slice(-MOST);
  }
  const { part } = news;
  const incomplete = (known?.incomplete ?? false) || part !== (known?.part ?? -1) + 1;
  const output = end((known?.output ?? '') + news.stdout + news.stderr);
  const now = { id, by, command, output, part, incomplete, ended: null };
  // What was there stays where it is under the person's eyes.
  if (known) return seen.map((one) => (one === known ? now : one));
  return [...seen, now].slice(-MOST);
}

function end(text: string): string {
  return text.slice(-TAIL);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: what terminals act on is what is taken out
const SEQUENCES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|.)/g;

// biome-ignore lint/suspicious/noControlCharactersInRegex: the same
const CONTROLS = /[\0-\u0008\u000b\u000c\u000e-\u001f\u007f]/g;

/** The last lines of what a command wrote, as text: of a line that was drawn over, what it came to. */
export function lastLines(output: string): string {
  const lines = output
    .replace(SEQUENCES, '')
    .replace(CONTROLS, '')
    .split(/\r*\n/)
    .map((line) => line.slice(line.replace(/\r+$/, '').lastIndexOf('\r') + 1).trimEnd());
  while (lines.at(-1) === '') lines.pop();
  return lines.slice(-LINES).join('\n');
}
