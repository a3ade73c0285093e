/** Which things of a type a list has, and how an address says it. */

export interface ThingsQuery {
  search: string;
  /** The name of a tag. */
  tag: string;
  /** By which field the list is narrowed. */
  field: string;
  /** To which value of it. */
  value: string;
  /** By which field it is sorted; by their numbers, the newest first, if by none. */
  sort: string;
  order: '' | 'asc' | 'desc';
}

const NAMES = ['search', 'tag', 'field', 'value', 'sort'] as const;

/** What an address asks for. */
export function queryOf(address: string): ThingsQuery {
  const given = new URLSearchParams(address);
  const order = given.get('order');
  const named = Object.fromEntries(NAMES.map((name) => [name, given.get(name) ?? ''])) as Omit<ThingsQuery, 'order'>;
  return { ...named, order: order === 'asc' || order === 'desc' ? order : '' };
}

/** The page that an address asks for, from 1. */
export function pageOf(address: string): number {
  const page = Number(new URLSearchParams(address).get('page'));
  return Number.isSafeInteger(page) && page > 0 ? page : 1;
}

/** How an address says it. What is not asked for is not in it. */
export function addressOf(query: ThingsQuery, page: number): string {
  const said = Object.entries({ ...query, page: page === 1 ? '' : String(page) }).filter(([, value]) => value !== '');
  return new URLSearchParams(said).toString();
}

/** The list as it is after a press on the head of a column: by it, then the other way, then by none again. */
export function sortedBy(query: ThingsQuery, field: string): ThingsQuery {
  if (query.sort !== field) return { ...query, sort: field, order: '' };
  return query.order === 'desc' ? { ...query, sort: '', order: '' } : { ...query, order: 'desc' };
}

/** Whether a list has less than all. */
export function isNarrowed({ search, tag, field, value }: ThingsQuery): boolean {
  return search.trim() !== '' || tag !== '' || (field !== '' && value !== '');
}
