/** Programs may put text into the person's clipboard (OSC 52), as over SSH. They may not read it, nor take it away. */

/** Longest text taken, in bytes of UTF-8: larger than whatever people copy out of a terminal. */
export const MAX_COPIED = 1024 * 1024;

/** Base64 has four characters for three bytes. */
const MAX_ENCODED = Math.ceil(MAX_COPIED / 3) * 4;

/** The text of a sequence `52 ; selection ; base64`. Nothing for a question, and for what does not decode. */
export function copiedText(data: string): string | null {
  const at = data.indexOf(';');
  const encoded = data.slice(at + 1);
  if (at < 0 || encoded === '' || encoded === '?' || encoded.length > MAX_ENCODED) return null;
  try {
    const bytes = Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0));
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) || null;
  } catch {
    return null;
  }
}
