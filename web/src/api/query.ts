/** Queries of lists, and what they find. */

/** A page of a list. */
export interface Rows<T> {
  rows: T[];
  total: number;
}

/** The values that say something, as texts: an empty one is left out. */
export function given<Q extends Record<string, string | number | undefined>>(query: Q): { [K in keyof Q]?: string } {
  const said = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  return Object.fromEntries(said.map(([name, value]) => [name, String(value)])) as { [K in keyof Q]?: string };
}
