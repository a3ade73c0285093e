// The one line for a new machine, on a computer with the other kind of processor than this one.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { Edge } from "../install/edge.mjs";
import { cannotEmulate, OTHER_PROCESSOR } from "../install/emulator.mjs";
import { ANN, boot, cannotRun } from "../install/machine.mjs";

const skip = (await cannotRun()) ?? (await cannotEmulate()) ?? false;
/** Of a program (ELF): which processor it is for, and where it says so. */
const MACHINE = { aarch64: 183, x86_64: 62 }[OTHER_PROCESSOR];
const MACHINE_AT = 18;

let edge;

before(async () => {
  if (!skip) edge = await Edge.start();
});

after(() => edge?.stop());

test(`the one line makes a machine of a computer with ${OTHER_PROCESSOR}, and takes it back`, { skip }, async (t) => {
  const computer = await boot(t, { emulated: true });
  const before = await computer.state();
  const known = await edge.newMachine(OTHER_PROCESSOR, { linux_user: ANN.name });
  // Which processor there is, BusyBox's shell asks the kernel, which is this computer's.
  const uname = `uname() { case $1 in -m) echo ${OTHER_PROCESSOR} ;; *) echo Linux ;; esac; }`;
  const line = known.line.replace(" | ", ` | sed '1a ${uname}' | `);
  const { status, output } = await computer.run(line);
  assert.equal(status, 0, output);
  assert.ok(output.includes(`/agent/download/vsay-agent-${OTHER_PROCESSOR}.tar.gz`), output);
  await edge.becomes(known, "online");
  const program = await readFile(computer.at("usr/local/bin/vsay-agent"));
  assert.equal(program.readUInt16LE(MACHINE_AT), MACHINE);

  const removed = await computer.run(`wget -qO- ${edge.url}/install.sh | sh -s -- --uninstall`);
  assert.equal(removed.status, 0, removed.output);
  await edge.becomes(known, "offline");
  assert.deepEqual(await computer.state(), before);
});
