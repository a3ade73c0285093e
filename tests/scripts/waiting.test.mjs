// Two scripts of one checkout that would write the same files go one after the other, and the second says that it waits.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { freshClone } from "./machine.mjs";

const script = (words) => ["-c", `source scripts/lib/common.sh; one_at_a_time things; ${words}`, "scripts/test.sh"];

test("whoever waits for another script is told so", {
  skip: spawnSync("flock", ["--version"]).error !== undefined,
}, async () => {
  const cwd = freshClone("scripts", "rust-toolchain.toml");
  const first = spawn("bash", script("echo begun; read -r; echo done"), { cwd, stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: first.stdout });
  assert.deepEqual(await once(lines, "line"), ["begun"]);

  const second = spawn("bash", script("echo begun"), { cwd, stdio: ["ignore", "pipe", "pipe"] });
  const [said] = await once(createInterface({ input: second.stderr }), "line");
  assert.equal(said, "==> waiting: another script here is at the same thing (things)");
  const begins = once(createInterface({ input: second.stdout }), "line");
  const ends = once(lines, "line");
  first.stdin.end("\n");
  assert.deepEqual(await ends, ["done"]);
  assert.deepEqual(await begins, ["begun"]);
});
