/** The keys that the console takes for itself; every other key belongs to the shell. */

export type Shortcut = 'larger' | 'smaller' | 'reset-size' | 'find' | 'copy' | 'paste' | 'tabs';

type Keys = Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey'>;

/** Which shortcut a key press is, if any. On a Mac, Cmd stands for Ctrl and for Ctrl+Shift. */
export function shortcutOf(event: Keys): Shortcut | null {
  if (event.altKey || event.ctrlKey === event.metaKey) return null;
  // With Shift, "+" is on different keys in different layouts; the character decides.
  if (event.key === '+' || event.key === '=') return 'larger';
  if (event.key === '-' && !event.shiftKey) return 'smaller';
  if (event.key === '0' && !event.shiftKey) return 'reset-size';
  if (event.ctrlKey && !event.shiftKey) return null;
  switch (event.key.toLowerCase()) {
    case 'f':
      return 'find';
    case 'c':
      return 'copy';
    case 'v':
      return 'paste';
    case 'arrowup':
      return event.shiftKey ? 'tabs' : null;
    default:
      return null;
  }
}

/** What a character becomes while Ctrl is held, for keyboards without Ctrl: `c` gives ^C. */
export function withControl(data: string): string {
  if (data.length !== 1) return data;
  if (data === ' ') return '\0';
  if (data === '?') return '\x7f';
  const code = data.toUpperCase().charCodeAt(0);
  return code >= 0x40 && code <= 0x5f ? String.fromCharCode(code & 0x1f) : data;
}
