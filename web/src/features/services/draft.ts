/** What somebody types and chooses to run a script with. */
import type { Input, Kind } from './scripts';

/** What is typed and chosen, by the input's name. Several lines or keys are in one text, a line each. */
export type Draft = Record<string, string>;

/** What a script is asked with before anything is typed. A choice without a default is one that was not made. */
export function draftOf(inputs: readonly Input[]): Draft {
  return Object.fromEntries(inputs.map(({ name, initial }) => [name, initial]));
}

/** What is sent: lists as lists, and what is empty not at all, so that the server says what is missing. */
export function given(inputs: readonly Input[], draft: Draft): Record<string, string | string[]> {
  const values = inputs.map(({ name, kind }) => [name, sentAs(kind, draft[name] ?? '')] as const);
  return Object.fromEntries(values.filter(([, value]) => value.length > 0));
}

function sentAs(kind: Kind, typed: string): string | string[] {
  if (kind === 'list') return linesOf(typed);
  // Scripts have always been given keys in one text.
  return kind === 'keys' ? linesOf(typed).join(',') : typed;
}

/** The lines that have something on them. */
export function linesOf(typed: string): string[] {
  return typed
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
