// A long command, as somebody without a terminal sees it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
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

test("Ctrl-C ends a command that was started to ignore it, as those are that run beside a script", async () => {
  const beside = `trap '' INT; exec "$0" "$1" run test testing sh -c 'echo ready >"$2"; exec sleep 600' sh x "$2"`;
  const folder = mkdtempSync(path.join(os.tmpdir(), "vsay-progress-"));
  const ready = path.join(folder, "ready");
  const child = spawn("sh", ["-c", beside, process.execPath, PROGRESS, ready], { stdio: "ignore" });
  const ended = once(child, "close");
  for (const deadline = Date.now() + 60_000; !existsSync(ready); ) {
    assert.ok(Date.now() < deadline, "the command did not start");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  child.kill("SIGINT");
  const [code] = await ended;
  assert.equal(code, 1);
  rmSync(folder, { recursive: true });
});
