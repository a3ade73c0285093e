/** Queries of lists, and what they find. */

/** A page of a list. */
export interface Rows<T> {
  rows: T[];
  total: number;
}

/** The values that say something: an empty one is left out. */
export function given<Q extends Record<string, string | number | undefined>>(query: Q): Given<Q> {
  const said = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  return Object.fromEntries(said) as Given<Q>;
}

type Given<Q> = { [K in keyof Q]?: Exclude<Q[K], undefined> };
