/** What people wrote in the files of a service, read as far as it makes sense. */

/** The fields of a mapping; none of anything else. */
export function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** A text, and what YAML reads as something else that people mean as one; empty for anything else. */
export function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}
