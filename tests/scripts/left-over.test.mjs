// An agent that outlived a `make dev` that was killed does not keep the next one from starting.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import test from "node:test";
import { endLeftOver } from "../../scripts/lib/agent.mjs";

/** A process that is called as an agent is, and waits until it is ended. It says when it is there. */
async function called(config) {
  const child = spawn("/bin/sh", ["-c", "echo; while read -r line; do :; done", "start", "--config", config], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  return child;
}

test("an agent of the same configuration is ended, and no other", { skip: process.platform !== "linux" }, async () => {
  const [left, other] = await Promise.all([called("/state/agent.yaml"), called("/other/agent.yaml")]);
  try {
    const ended = once(left, "exit");
    await endLeftOver("/state/agent.yaml");
    assert.deepEqual(await ended, [null, "SIGTERM"]);
    assert.equal(other.exitCode ?? other.signalCode, null);
    await endLeftOver("/nowhere/agent.yaml");
  } finally {
    left.kill();
    other.kill();
  }
});
