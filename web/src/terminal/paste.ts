/**
 * What of a paste may reach a program. Text from elsewhere must not do anything before the person presses Enter: a program that
 * knows pastes (bracketed paste mode) takes all of it as text, unless it contains what ends a paste; one that does not runs
 * every line of it.
 */

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g;

const LINE_END = /\r\n|\r|\n/;

/** The text without control characters but tab and line end: ESC and the C1 ones end a paste early, others are keys such as Ctrl-C. */
export function cleanPaste(text: string): string {
  return text.replace(CONTROLS, '');
}

/** The lines of a text. What ends the last one begins no other. */
export function linesOf(text: string): string[] {
  const lines = text.split(LINE_END);
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

/** Whether a program that does not know pastes would run a part of the text at once. */
export function runsAtOnce(text: string): boolean {
  return LINE_END.test(text);
}

/** The text on one line, which waits for the person's Enter. */
export function onOneLine(text: string): string {
  return linesOf(text)
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join(' ');
}
