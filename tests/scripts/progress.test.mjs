// A long command, as somebody without a terminal sees it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";

const PROGRESS = path.resolve(import.meta.dirname, "../../scripts/lib/progress.mjs");

/** Runs a script of a shell as a long command, and answers its exit status and what was said. */
async function run(script) {
  const child = spawn(process.execPath, [PROGRESS, "run", "--bar", "test", "testing", "sh", "-c", script], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, said] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code: child.exitCode, out, said };
}

test("a command that works says nothing of its own", async () => {
  assert.deepEqual(await run("echo noise; echo more >&2"), { code: 0, out: "", said: "" });
});

test("a command that fails has its messages shown, without the bars between them, and its status is ours", async () => {
  const script = String.raw`printf '   Building [=> ] 1/2: a\r' >&2; echo 'error: no such thing' >&2; exit 101`;
  assert.deepEqual(await run(script), { code: 101, out: "", said: "error: no such thing\n" });
});

test("Cargo draws its bar for whoever counts", async () => {
  const { said } = await run('echo "when=$CARGO_TERM_PROGRESS_WHEN width=$CARGO_TERM_PROGRESS_WIDTH"; exit 1');
  assert.equal(said, "when=always width=80\n");
});

test("a program that is not there is named", async () => {
  const child = spawn(process.execPath, [PROGRESS, "run", "test", "testing", "no-such-program"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const [said] = await Promise.all([text(child.stderr), once(child, "close")]);
  assert.match(said, /^no-such-program: /);
  assert.equal(child.exitCode, 127);
});
