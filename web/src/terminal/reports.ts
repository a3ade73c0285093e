/**
 * A terminal answers questions that programs ask of it: where is the cursor, what can you do, do you have the focus. The
 * answers leave it like keystrokes. When output from before we came is drawn, its questions were answered long ago, and
 * answers of ours would end up as text in whatever runs now.
 */

const ESC = '\u001b';

// Cursor position, status, device attributes, mode reports, focus; then colour reports and status strings.
const REPORT = new RegExp(`^${ESC}(\\[[?>]?[\\d;]*\\$?[RncyIO]|[\\]P])`);

/** Whether data from the terminal is an answer rather than a key. */
export function isReport(data: string): boolean {
  return REPORT.test(data);
}
