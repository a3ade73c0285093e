// Whether a newcomer is shown what somebody sees who was there. Recordings of real programs are cut at many places. At each,
// one terminal of the console's kind gets the recording up to there, and a fresh one the dump of the agent's emulator, which
// got the same. Both must show the same then, and still when the rest has followed. README.md has the programs and what may
// differ.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { compare, stateOf, Viewer } from "./viewer.mjs";

/** Places at which each recording is cut. */
const CUTS = 50;

/** Of the cells of both screens and the scrollback, in percent. */
const MOST_DIFFERENT = 1;

const ROOT = new URL("../..", import.meta.url).pathname;
const RECORDINGS = new URL("recordings/", import.meta.url).pathname;

const folder = mkdtempSync(join(tmpdir(), "pictures-"));
after(() => rmSync(folder, { recursive: true }));

const recordings = readdirSync(RECORDINGS).map((file) => {
  const [, name, cols, rows] = /^(.+)\.(\d+)x(\d+)\.gz$/.exec(file);
  const bytes = gunzipSync(readFileSync(join(RECORDINGS, file)));
  const path = join(folder, file);
  writeFileSync(path, bytes);
  const cuts = [...new Set(Array.from({ length: CUTS }, (_, at) => Math.floor((bytes.length * (at + 1)) / CUTS)))];
  return { name, size: { cols: Number(cols), rows: Number(rows) }, bytes, path, cuts, dumps: [] };
});

before(() => {
  const input = recordings.map(({ size, path, cuts }) => `${size.cols} ${size.rows} ${path} ${cuts.join(" ")}\n`).join("");
  // Of the whole workspace: what it stands on has been compiled for the unit tests.
  const build = ["build", "--quiet", "--workspace", "--example", "pictures"];
  execFileSync("cargo", build, { cwd: ROOT, stdio: ["ignore", "inherit", "inherit"] });
  const program = join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "debug/examples/pictures");
  const { status, stdout, stderr } = spawnSync(program, { input, maxBuffer: 2 ** 30 });
  assert.equal(status, 0, stderr.toString());
  let at = 0;
  for (const { cuts, dumps } of recordings) {
    for (const _ of cuts) {
      const end = at + 4 + stdout.readUInt32BE(at);
      dumps.push(stdout.subarray(at + 4, end));
      at = end;
    }
  }
  assert.equal(at, stdout.length);
});

test("there are at least 30 programs at three sizes each", () => {
  const programs = Map.groupBy(recordings, ({ name }) => name);
  assert.ok(programs.size >= 30, `${programs.size}`);
  for (const [name, sizes] of programs) assert.equal(sizes.length, 3, name);
});

for (const { name, size, bytes, cuts, dumps } of recordings) {
  test(`${name} at ${size.cols} × ${size.rows}`, async () => {
    const there = new Viewer(size);
    await there.write(bytes);
    const end = stateOf(there.terminal);
    there.dispose();
    const watching = new Viewer(size);
    let begin = 0;
    for (const [index, cut] of cuts.entries()) {
      await watching.write(bytes.subarray(begin, cut));
      begin = cut;
      const newcomer = new Viewer(size);
      await newcomer.write(dumps[index]);
      same(stateOf(watching.terminal), stateOf(newcomer.terminal), `at ${cut}`);
      await newcomer.write(bytes.subarray(cut));
      same(end, stateOf(newcomer.terminal), `at the end, after joining at ${cut}`);
      newcomer.dispose();
    }
    watching.dispose();
  });
}

function same(expected, actual, when) {
  const { different, cells, first } = compare(expected, actual);
  assert.ok((different * 100) / cells <= MOST_DIFFERENT, `${different} of ${cells} cells differ ${when}: ${first}`);
  assert.deepEqual(actual.settings, expected.settings, when);
}
