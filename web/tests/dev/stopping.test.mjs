// Ctrl-C ends what `make dev` has started also while it is still starting.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';

const ROOT = path.resolve(import.meta.dirname, '../../..');
/** For a computer that does other things as well. */
const PATIENCE_MS = 60_000;
const POLL_MS = 50;

/** An agent that never gets further than `word`: it says which process it is, and waits. */
async function agentThatWaits(folder, word) {
  const program = path.join(folder, 'agent');
  const pidFile = path.join(folder, 'pid');
  const real = path.join(ROOT, 'build/bin/vsay-agent');
  const lines = ['#!/bin/sh', `[ "$1" = ${word} ] || exec ${real} "$@"`, `echo $$ >${pidFile}`, 'exec sleep 600'];
  await writeFile(program, `${lines.join('\n')}\n`);
  await chmod(program, 0o755);
  const pid = async () => {
    for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; ) {
      const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''));
      if (pid > 0) return pid;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    throw new Error(`no agent was started to ${word}`);
  };
  return { program, pid };
}

function runs(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

for (const word of ['configure', 'start']) {
  test(`stopped while its agent is at ${word}, it leaves no agent behind, and finds nothing wrong`, async (t) => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'vsay-stopping-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const agent = await agentThatWaits(folder, word);
    const state = path.join(folder, 'state');
    const product = spawn(process.execPath, [path.join(ROOT, 'scripts/dev.mjs')], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, PORT: '0', STATE: state, DEMO: '1', VSAY_AGENT_BIN: agent.program },
    });
    const said = text(product.stderr);
    const ended = once(product, 'exit');
    const pid = await agent.pid();
    t.after(() => runs(pid) && process.kill(pid, 'SIGKILL'));
    product.kill('SIGTERM');
    const [status] = await ended;
    assert.equal(status, 0, await said);
    assert.equal(runs(pid), false);
    assert.doesNotMatch(await said, /error:/);
  });
}
