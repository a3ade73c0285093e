// What somebody who waits for a build is told.
import assert from "node:assert/strict";
import { test } from "node:test";
import { lastBar, planLines, roughly, secondsLeft, statusLine } from "../../scripts/lib/estimate.mjs";

test("the last bar that Cargo drew counts, among its other lines", () => {
  const text =
    "   Compiling syn v2.0.1\r    Building [=>      ] 12/344: syn\r    Building [====>   ] 213/344: axum, tower...\r";
  assert.deepEqual(lastBar(text), { done: 213, total: 344 });
  assert.equal(lastBar("   Compiling syn v2.0.1\nerror[E0308]: mismatched types [1/2]\n"), undefined);
});

test("what is left follows the machine where it is slower than expected, and knows of what comes after the crates", () => {
  // Half the crates took all the time: the other half takes as long again.
  assert.equal(secondsLeft({ elapsed: 100, expected: 100, bar: { done: 50, total: 100 } }), 100);
  // All crates are there, and linking is still to come.
  assert.equal(secondsLeft({ elapsed: 60, expected: 100, bar: { done: 100, total: 100 } }), 40);
  assert.equal(secondsLeft({ elapsed: 5, expected: 20 }), 15);
});

test("nothing is said to be left where nothing is known, or what was expected is over", () => {
  assert.equal(secondsLeft({ elapsed: 5 }), undefined);
  assert.equal(secondsLeft({ elapsed: 30, expected: 20 }), undefined);
  // The first crates waited for the network: at their pace it would take an hour.
  assert.equal(secondsLeft({ elapsed: 40, bar: { done: 2, total: 200 } }), undefined);
});

test("times are as exact as an estimate is, and never nothing", () => {
  assert.deepEqual([1, 14, 15, 89, 90, 130, 600].map(roughly), ["10 s", "10 s", "20 s", "90 s", "2 min", "2 min", "10 min"]);
});

test("a line says what is done, how far it is, and what is left", () => {
  const bar = { done: 213, total: 344 };
  assert.equal(
    statusLine("building the Worker", { elapsed: 120, expected: 240, bar }),
    "building the Worker: 213 of 344 crates, about 2 min left",
  );
  assert.equal(statusLine("installing the npm packages", { elapsed: 31 }), "installing the npm packages: 30 s so far");
  assert.equal(
    statusLine("building the Worker", { elapsed: 200, expected: 240, bar: { done: 344, total: 344 } }),
    "building the Worker: about 40 s left",
  );
});

test("a plan adds up what is to do, and is nothing where there is nothing to do", () => {
  const seconds = { npm: 20, worker: 220 };
  const things = [
    { name: "npm", words: "packages" },
    { name: "worker", words: "the Worker" },
    { name: "new", words: "what nobody has timed" },
  ];
  const lines = planLines("Before the first start", things, (name) => seconds[name]);
  assert.match(lines[0], /^Before the first start: about 4 min /);
  assert.deepEqual(
    lines.slice(1).map((line) => line.trim().split(/ {3,}/)),
    [
      ["packages", "20 s"],
      ["the Worker", "4 min"],
      ["what nobody has timed", "?"],
    ],
  );
  assert.deepEqual(
    planLines("Before the first start", [], () => 1),
    [],
  );
});
