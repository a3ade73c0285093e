// Cron expressions in time zones: croner, which takes the zones from the runtime, so that the Worker brings none along.
import { Cron } from "croner";

/** Names for common expressions. `@reboot` is none: nothing starts here. */
const NAMES = /^@(yearly|annually|monthly|weekly|daily|midnight|hourly)$/i;

/** Minute, hour, day of the month, month, day of the week. The clock comes once a minute, so there are no seconds. */
const FIELDS = 5;

const RULE = `must have ${FIELDS} fields, such as 30 4 * * 1-5, or be a name such as @daily`;

/** What may stand in a field. The library counts days and months from 0, and says so. */
const RANGES = { minute: "0 to 59", hour: "0 to 23", day: "1 to 31", month: "1 to 12", dayOfWeek: "0 to 7" };

/** What is wrong with an expression; nothing if it can be used. */
export function faultOf(cron) {
  const text = cron.trim();
  // With a colon it would be a date.
  if (!NAMES.test(text) && (text.split(/\s+/).length !== FIELDS || text.includes(":"))) return RULE;
  try {
    read(text, "UTC");
  } catch ({ message }) {
    const field = /Invalid value for (\w+)/.exec(message)?.[1];
    if (field in RANGES) return `must have ${RANGES[field]} as its ${field === "dayOfWeek" ? "day of the week" : field}`;
    return `cannot be read: ${message.replace(/^\w+: /, "")}`;
  }
}

/** Whether the runtime knows a time zone of this name. Offsets such as `+01:00` are no names. */
export function isTimeZone(name) {
  try {
    return /^[a-z]/i.test(name) && clock(name) !== undefined;
  } catch {
    return false;
  }
}

/**
 * When an expression comes next after an instant: for each time milliseconds since the epoch, and how many minutes the zone is ahead
 * of UTC then. Nothing if it never comes, or cannot be read any more.
 */
export function nextRuns(cron, zone, after, count) {
  try {
    const local = clock(zone);
    const runs = read(cron.trim(), zone).nextRuns(count, new Date(after));
    return Float64Array.from(runs.flatMap((run) => [run.getTime(), ahead(local, run)]));
  } catch {
    return new Float64Array();
  }
}

/** Without a function, nothing is ever run by it. */
function read(cron, timezone) {
  return new Cron(cron, { timezone, mode: NAMES.test(cron) ? "auto" : "5-part" });
}

function clock(timeZone) {
  const numeric = {
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  };
  return new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    calendar: "gregory",
    numberingSystem: "latn",
    ...numeric,
  });
}

function ahead(local, instant) {
  const part = Object.fromEntries(local.formatToParts(instant).map(({ type, value }) => [type, Number(value)]));
  const there = Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second);
  return Math.round((there - instant.getTime()) / 60_000);
}
