/**
 * Which of its tasks Ansible is at. It prints the heading of a task when that begins, and what came of it when that is over; a task of ten
 * minutes looks like one that hangs.
 */
import stripAnsi from 'strip-ansi';

/** A task that runs. */
export interface Task {
  name: string;
  /** When its heading was seen, in milliseconds. */
  seenAt: number;
  /** It had begun before somebody looked. */
  earlier: boolean;
}

/** A heading, as the default output of ansible-core writes it: filled up with asterisks. */
const TASK = /^(?:TASK|RUNNING HANDLER) \[(.*)\] \*{3,}$/;
const OVER = /^(?:PLAY \[.*\]|PLAY RECAP|NO MORE HOSTS LEFT) \*{3,}$/;

/** The task that runs after some lines, of which those of the `first` look may be old. */
export function taskAfter(task: Task | null, lines: readonly string[], now: number, first: boolean): Task | null {
  let current = task;
  for (const line of lines) {
    // Most lines are neither, and cost no more than a look at their beginning.
    if (!/TASK|HANDLER|PLAY|NO MORE/.test(line)) continue;
    const text = stripAnsi(line).trimEnd();
    const [, name] = TASK.exec(text) ?? [];
    if (name !== undefined) current = { name: name || 'without a name', seenAt: now, earlier: first };
    else if (OVER.test(text)) current = null;
  }
  return current;
}
