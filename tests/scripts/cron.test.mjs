// When schedules run, by the library that the Worker has for it: nicknames, what five fields can say, and the two nights a year when clocks
// are put forward and back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { faultOf, isTimeZone, nextRuns } from "../../src/features/schedules/cron.js";

/** The next times as clocks show them there: "03-29 03:00 +2". */
function next(cron, zone, after, count) {
  const pairs = nextRuns(cron, zone, Date.parse(after), count);
  const times = [];
  for (let at = 0; at < pairs.length; at += 2) {
    const there = new Date(pairs[at] + pairs[at + 1] * 60_000).toISOString();
    times.push(`${there.slice(5, 10)} ${there.slice(11, 16)} ${pairs[at + 1] < 0 ? "" : "+"}${pairs[at + 1] / 60}`);
  }
  return times;
}

test("an expression has five fields or is a name, and what is wrong with it is said", () => {
  for (const cron of [
    "* * * * *",
    "30 4 * * 1-5",
    "*/15 8-18 * * MON-FRI",
    "0 0 1 JAN,jul *",
    "0 0 L * *",
    "0 0 * * 5L",
    "0 0 * * 1#2",
    "0 0 15W * *",
    "0 0 * * 7",
    "@daily",
    "@Hourly",
    "  0 0  * * * ",
  ])
    assert.equal(faultOf(cron), undefined, cron);
  for (const cron of [
    "",
    "* * * *",
    "0 * * * * *",
    "0 0 * * * * 2030",
    "@reboot",
    "@every 5m",
    "2030-01-01T00:00:00",
    "0 0 1 1:1 *",
  ])
    assert.match(faultOf(cron), /^must have 5 fields/, cron);
  for (const [cron, words] of [
    ["60 * * * *", /^must have 0 to 59 as its minute$/],
    ["0 24 * * *", /^must have 0 to 23 as its hour$/],
    ["0 0 32 * *", /^must have 1 to 31 as its day$/],
    ["0 0 0 * *", /^must have 1 to 31 as its day$/],
    ["0 0 * 13 *", /^must have 1 to 12 as its month$/],
    ["0 0 * * 8", /^must have 0 to 7 as its day of the week$/],
    ["x * * * *", /^cannot be read: /],
    ["*/0 * * * *", /^cannot be read: /],
    ["5-1 * * * *", /^cannot be read: /],
    ["0 0 * * 1#6", /^cannot be read: /],
  ])
    assert.match(faultOf(cron), words, cron);
});

test("a time zone has a name that the runtime knows", () => {
  for (const zone of ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Asia/Kolkata"])
    assert.ok(isTimeZone(zone), zone);
  for (const zone of ["", "Mars/Base", "+01:00", "-05:00", "1"]) assert.ok(!isTimeZone(zone), zone);
});

test("a time that clocks leave out comes as soon as they go on, and is missed on no day", () => {
  const spring = "2026-03-27T12:00:00Z";
  assert.deepEqual(next("30 2 * * *", "Europe/Berlin", spring, 3), ["03-28 02:30 +1", "03-29 03:00 +2", "03-30 02:30 +2"]);
  assert.deepEqual(next("0 3 * * *", "Europe/Berlin", spring, 3), ["03-28 03:00 +1", "03-29 03:00 +2", "03-30 03:00 +2"]);
  // Where the day has no midnight.
  const cairo = ["04-23 00:00 +2", "04-24 01:00 +3", "04-25 00:00 +3"];
  assert.deepEqual(next("@daily", "Africa/Cairo", "2026-04-22T12:00:00Z", 3), cairo);
  // By half an hour only.
  const howe = ["10-03 02:15 +10.5", "10-04 02:30 +11", "10-05 02:15 +11"];
  assert.deepEqual(next("15 2 * * *", "Australia/Lord_Howe", "2026-10-02T00:00:00Z", 3), howe);
  const often = ["03-29 01:30 +1", "03-29 03:00 +2", "03-29 03:30 +2"];
  assert.deepEqual(next("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 3), often);
});

test("a time that clocks show twice comes once, and what comes every so often goes on through both hours", () => {
  const autumn = "2026-10-24T12:00:00Z";
  assert.deepEqual(next("30 2 * * *", "Europe/Berlin", autumn, 2), ["10-25 02:30 +2", "10-26 02:30 +1"]);
  const often = ["10-25 02:00 +2", "10-25 02:30 +2", "10-25 02:00 +1", "10-25 02:30 +1", "10-25 03:00 +1"];
  assert.deepEqual(next("*/30 * * * *", "Europe/Berlin", "2026-10-24T23:40:00Z", 5), often);
});

test("months end where they end", () => {
  const year = "2026-01-01T00:00:00Z";
  assert.deepEqual(next("0 0 31 * *", "UTC", year, 3), ["01-31 00:00 +0", "03-31 00:00 +0", "05-31 00:00 +0"]);
  assert.deepEqual(next("0 0 L * *", "UTC", year, 2), ["01-31 00:00 +0", "02-28 00:00 +0"]);
  assert.deepEqual(next("0 0 * * 5L", "UTC", year, 2), ["01-30 00:00 +0", "02-27 00:00 +0"]);
  assert.deepEqual(next("0 0 * * 1#2", "UTC", year, 2), ["01-12 00:00 +0", "02-09 00:00 +0"]);
  assert.equal(new Date(nextRuns("0 0 29 2 *", "UTC", Date.parse(year), 1)[0]).getUTCFullYear(), 2028);
});

test("with both a day of the month and one of the week, either does", () => {
  const days = ["01-02", "01-09", "01-13", "01-16"].map((day) => `${day} 00:00 +0`);
  assert.deepEqual(next("0 0 13 * 5", "UTC", "2026-01-01T00:00:00Z", 4), days);
});

test("the next time is after the one before, and what never comes has none", () => {
  assert.deepEqual(next("0 9 * * *", "UTC", "2026-01-01T09:00:00.000Z", 1), ["01-02 09:00 +0"]);
  assert.deepEqual(next("0 9 * * *", "UTC", "2026-01-01T08:59:59.999Z", 1), ["01-01 09:00 +0"]);
  assert.deepEqual(next("0 0 30 2 *", "UTC", "2026-01-01T00:00:00Z", 1), []);
  assert.deepEqual(next("@daily", "Mars/Base", "2026-01-01T00:00:00Z", 1), []);
});
