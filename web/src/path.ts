/** Paths of pages, and what stands in them: `/machines/:agentId`. */

/** What a pattern takes out of a path: `{ agentId: string }`. */
export type Params<Pattern extends string> = Pattern extends `${string}:${infer Name}/${infer Rest}`
  ? Record<Name, string> & Params<Rest>
  : Pattern extends `${string}:${infer Name}`
    ? Record<Name, string>
    : Record<never, string>;

/** What a path has where the pattern has names; nothing if the two do not match. Slashes that separate nothing do not count. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const expected = parts(pattern);
  const given = parts(path);
  if (expected.length !== given.length) return null;
  const params: Record<string, string> = {};
  for (const [at, part] of expected.entries()) {
    const value = given[at] ?? '';
    if (part.startsWith(':')) params[part.slice(1)] = value;
    else if (part !== value) return null;
  }
  return params;
}

function parts(path: string): string[] {
  return path.split('/').filter((part) => part !== '');
}
