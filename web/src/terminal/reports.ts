/**
 * What programs ask a terminal: where is the cursor, what can you do, which colours have you. The machine's agent answers,
 * once for all who watch (docs/streams.md). A second answer would end up as text in whatever runs, so this terminal says
 * nothing.
 */
import type { IParser } from '@xterm/xterm';

const ESC = '\u001b';

/** The ends of the sequences that xterm.js answers: attributes, status and cursor, modes. */
const CSI_QUESTIONS = [
  { final: 'c' },
  { prefix: '>', final: 'c' },
  { prefix: '=', final: 'c' },
  { final: 'n' },
  { prefix: '?', final: 'n' },
  { intermediates: '$', final: 'p' },
  { prefix: '?', intermediates: '$', final: 'p' },
  { prefix: '>', final: 'q' },
  { prefix: '?', final: 'u' },
];

/** Of the window operations, those that ask. Others set, such as the title's stack. */
const WINDOW_QUESTIONS = new Set([11, 13, 14, 15, 16, 18, 19, 20, 21]);

/** Colours: of the palette, the text, the background, the cursor. */
const COLOR_QUESTIONS = [4, 10, 11, 12];

const FOCUS = new RegExp(`^${ESC}\\[[IO]$`);

/** Leaves questions unanswered. Later handlers are asked first, and what they take nobody else hears. */
export function leaveUnanswered(parser: IParser): void {
  for (const question of CSI_QUESTIONS) parser.registerCsiHandler(question, () => true);
  parser.registerCsiHandler({ final: 't' }, ([operation]) => WINDOW_QUESTIONS.has(Number(operation)));
  for (const code of COLOR_QUESTIONS) parser.registerOscHandler(code, (data) => data.split(';').includes('?'));
  parser.registerDcsHandler({ intermediates: '$', final: 'q' }, () => true);
}

/** Whether data from the terminal says that it got or lost the focus. */
export function isFocusReport(data: string): boolean {
  return FOCUS.test(data);
}
