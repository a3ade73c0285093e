/** What somebody types to make or change a thing. */
import type { Data, TypeField } from './api';

/** What is typed, by field. Of a secret that is set nothing is known: empty keeps it, and `null` takes it away. */
export type Draft = Record<string, string | null>;

/** A form before anything is typed: of a thing there is, or of a new one. */
export function draftOf(fields: readonly TypeField[], data: Data | null): Draft {
  return Object.fromEntries(
    fields.map((field) => [field.name, data === null ? typedOf(field, field.default) : typedOf(field, data[field.name])]),
  );
}

function typedOf({ type }: TypeField, value: unknown): string {
  if (value === null || value === undefined || type === 'secret') return '';
  if (type === 'json') return JSON.stringify(value, null, 2);
  if (type === 'datetime') return localTime(String(value));
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** A time as a field for times has it, in the person's zone; as it is if it is none. */
function localTime(text: string): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) return text;
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

export interface Read {
  data: Data;
  /** What cannot be sent, by field as the server names it. */
  wrong: Record<string, string>;
}

/** What is sent: of a new thing what is given, of one there is what has changed. */
export function read(fields: readonly TypeField[], draft: Draft, before: Draft | null): Read {
  const result: Read = { data: {}, wrong: {} };
  for (const field of fields) {
    const typed = draft[field.name] ?? (draft[field.name] === null ? null : '');
    if (before === null ? typed === null || typed.trim() === '' : typed === before[field.name]) continue;
    try {
      result.data[field.name] = sentAs(field, typed);
    } catch {
      result.wrong[`data.${field.name}`] = field.type === 'json' ? 'This is not JSON.' : 'This is not a time.';
    }
  }
  return result;
}

/** Throws on what is none. */
function sentAs({ type }: TypeField, typed: string | null): unknown {
  if (typed === null || (typed.trim() === '' && type !== 'string' && type !== 'text')) return null;
  if (type === 'json') return JSON.parse(typed) as unknown;
  if (type === 'datetime') return new Date(typed).toISOString();
  // A number that is none is sent as it is: the server says what is wrong with it.
  if (type === 'integer') return Number.isSafeInteger(Number(typed)) ? Number(typed) : typed;
  return type === 'boolean' ? typed === 'true' : typed;
}
