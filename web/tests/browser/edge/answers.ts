/** What the stand-in edge is asked, and answers. */

export type Body = Record<string, unknown>;
export type Answer = [number, unknown];

export interface Asked {
  /** What stood at each `*` of the route. */
  at: string[];
  query: URLSearchParams;
  body: Body;
}

/** By method and path; `*` stands for a part of a path. */
export type Routes = Record<string, (asked: Asked) => Answer>;

/** The time that everything happened at. */
export const NOW = '2026-02-06T12:00:00Z';

/** A page of a list, as the API gives it. */
export function paged(name: string, rows: unknown[], query: URLSearchParams): Body {
  const page = Number(query.get('page') ?? 1);
  const limit = Number(query.get('limit') ?? rows.length);
  return { [name]: rows.slice((page - 1) * limit, page * limit), total: rows.length, page, limit };
}
