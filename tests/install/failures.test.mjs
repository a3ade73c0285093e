// What goes wrong while installing, at each step of it: everything is as it was, and nothing runs.
import assert from "node:assert/strict";
import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { between, Edge, eventually } from "./edge.mjs";
import { ANN, boot, cannotRun } from "./machine.mjs";

const skip = (await cannotRun()) ?? false;
const ARCHIVE = `/agent/download/vsay-agent-${process.arch === "arm64" ? "aarch64" : "x86_64"}.tar.gz`;

/** What can tell whether a signature is right: each alone, with what it needs. */
const VERIFIERS = ["/usr/bin/minisign", "/usr/bin/openssl"];

let edge;

before(async () => {
  if (!skip) edge = await Edge.start();
});

after(() => edge?.stop());

async function standBetween(t, options) {
  const somebody = await between(edge, options);
  t.after(() => somebody.close());
  return somebody;
}

/** Changes the last byte: of an archive its length, of a text its end. */
function spoiled(bytes) {
  const changed = Buffer.from(bytes);
  changed[changed.length - 1] ^= 1;
  return changed;
}

/** A signature that is well made, of another file. */
function ofAnother(bytes) {
  const [comment, signature, ...rest] = bytes.toString().split("\n");
  const raw = Buffer.from(signature, "base64");
  raw[40] ^= 1;
  return Buffer.from([comment, raw.toString("base64"), ...rest].join("\n"));
}

async function nothingHappened(computer, before) {
  assert.deepEqual(await computer.state(), before);
  await eventually("nothing to run", async () => (await computer.processes()).length === 0);
}

test("what is not what the edge says it is is never run", { skip }, async (t) => {
  const computer = await boot(t);
  const before = await computer.state();
  const known = await edge.newMachine("spoiled");
  const somebody = await standBetween(t, { change: { [ARCHIVE]: spoiled } });
  const { status, output } = await computer.run(somebody.line(known.line));
  assert.equal(status, 5, output);
  assert.match(output, /not what the edge says it is.*expected sha256 [0-9a-f]{64}\s.*received sha256 [0-9a-f]{64}\s/s);
  await nothingHappened(computer, before);
  assert.equal((await edge.machine(known)).status, "pending");
});

test("a signature is checked by whatever can, and a wrong one ends it", { skip }, async (t) => {
  const known = await edge.newMachine("signed");
  for (const verifier of VERIFIERS) {
    if (!(await stat(verifier).catch(() => undefined))) {
      t.diagnostic(`not tried: there is no ${verifier}`);
      continue;
    }
    const computer = await boot(t, { hostPrograms: [verifier] });
    const before = await computer.state();
    for (const change of [ofAnother, () => Buffer.from("untrusted comment: x\nRUQ=\n")]) {
      const somebody = await standBetween(t, { change: { [`${ARCHIVE}.minisig`]: change } });
      const { status, output } = await computer.run(somebody.line(known.line));
      assert.equal(status, 5, output);
      assert.match(output, /The signature of what was downloaded is wrong/, verifier);
      await nothingHappened(computer, before);
    }
    const line = await edge.newLine(known);
    const { status, output } = await computer.run(`${line} --require-signature`);
    assert.equal(status, 0, output);
    assert.match(output, /Its signature is right \(key RW/, verifier);
    await edge.becomes(known, "online");
    await computer.off();
    await edge.becomes(known, "offline");
  }
});

test("a signature that cannot be checked is enough to give up, for whoever says so", { skip }, async (t) => {
  const computer = await boot(t);
  const before = await computer.state();
  const known = await edge.newMachine("strict");
  const { status, output } = await computer.run(`${known.line} --require-signature`);
  assert.equal(status, 5, output);
  assert.match(output, /Install minisign, or openssl 3/);
  await nothingHappened(computer, before);
});

test("without room nothing is begun", { skip }, async (t) => {
  const mounts = ["mount -t tmpfs -o size=4m,mode=755 small $ROOT/usr/local/bin"];
  const computer = await boot(t, { mounts });
  const before = await computer.state();
  const known = await edge.newMachine("full");
  const { status, output } = await computer.run(known.line);
  assert.equal(status, 1, output);
  assert.match(output, /There are 4 MiB free in \/usr\/local\/bin, and 40 are needed/);
  await nothingHappened(computer, before);
});

test("room that runs out while the agent writes is noticed before the token is spent", { skip }, async (t) => {
  const mounts = ["mkdir $ROOT/etc/vsay", "mount -t tmpfs -o size=4k,mode=755 small $ROOT/etc/vsay"];
  const computer = await boot(t, { mounts });
  await computer.run("head -c 4096 /dev/zero >/etc/vsay/other");
  const before = await computer.state();
  const known = await edge.newMachine("fuller");
  const { status, output } = await computer.run(known.line);
  assert.equal(status, 6, output);
  assert.match(output, /No space left on device/);
  const left = await computer.state();
  for (const file of ["passwd", "shadow", "group"]) {
    // Made and removed again: the same lines.
    assert.equal(left[`/etc/${file}`], before[`/etc/${file}`], file);
  }
  await nothingHappened(computer, before);
  assert.equal((await edge.machine(known)).status, "pending");
  await computer.run("rm /etc/vsay/other && mount -o remount,size=1m /etc/vsay");
  assert.equal((await computer.run(known.line)).status, 0, "the token is good");
});

test("without a network it says whom it cannot reach", { skip }, async (t) => {
  const known = await edge.newMachine("alone");
  const script = await (await fetch(`${edge.url}/install.sh`)).text();
  const computer = await boot(t, { network: false });
  await writeFile(computer.at("tmp/install.sh"), script);
  const before = await computer.state();
  const { status, output } = await computer.run("VSAY_TOKEN=x sh /tmp/install.sh --linux-user deploy");
  assert.equal(status, 4, output);
  assert.ok(output.includes(`Check that this computer reaches ${edge.url}`), output);
  await nothingHappened(computer, before);

  // The download arrived, and then the network went.
  const somebody = await standBetween(t, { change: {}, hold: "/agent/enroll" });
  const other = await boot(t);
  const empty = await other.state();
  const run = other.start(somebody.line(known.line));
  await somebody.held;
  const closed = somebody.close();
  const cut = await run.ended;
  await closed;
  assert.equal(cut.status, 6, cut.output);
  assert.match(cut.output, /cannot reach/);
  const left = await other.state();
  // The edge may know this computer by it already: the next attempt is the same computer's.
  delete left["/etc/vsay"];
  delete left["/etc/vsay/agent.host-id"];
  assert.deepEqual(left, empty);
});

test("a token that is refused leaves neither program nor account", { skip }, async (t) => {
  const computer = await boot(t);
  const before = await computer.state();
  const known = await edge.newMachine("refused");
  const { status, output } = await computer.run(known.line.replace(known.registration_token, "0".repeat(64)));
  assert.equal(status, 6, output);
  assert.match(output, /does not accept this token/);
  await nothingHappened(computer, before);
});

test("interrupted at any step, everything is as it was and nothing runs", { skip }, async (t) => {
  const holds = ["/install.sh", ARCHIVE, `${ARCHIVE}.minisig`, "/agent/enroll"];
  for (const hold of holds) {
    for (const signal of ["TERM", "INT", "HUP"]) {
      const computer = await boot(t, { hostPrograms: ["/usr/bin/openssl"] });
      const before = await computer.state();
      const known = await edge.newMachine(`interrupted-${hold.split("/").at(-1)}-${signal}`);
      const somebody = await standBetween(t, { hold });
      const run = computer.start(somebody.line(known.line));
      await somebody.held;
      // As a terminal does: everything that was started.
      await computer.run(`kill -${signal} -1`);
      const { status } = await run.ended;
      assert.notEqual(status, 0, `${hold} ${signal}`);
      await nothingHappened(computer, before);
      await somebody.close();
    }
  }
});

test("interrupted while the service starts, the machine is there or is not, and nothing in between", { skip }, async (t) => {
  const computer = await boot(t, { manager: "systemd" });
  const before = await computer.state();
  const known = await edge.newMachine("starting");
  await writeFile(computer.at("run/systemctl.waits"), "");
  const run = computer.start(known.line);
  await eventually("the service to be started", async () =>
    (await readFile(computer.at("run/systemctl.log"), "utf8").catch(() => "")).includes("restart"),
  );
  await computer.run("kill -TERM $(pidof vsay-agent)");
  await rm(computer.at("run/systemctl.waits"));
  const { status, output } = await run.ended;
  if (status === 0) {
    await edge.becomes(known, "online");
  } else {
    assert.equal(status, 6, output);
    assert.match(output, /interrupted/);
    const left = await computer.state();
    for (const log of ["/run/systemctl.log", "/var/log/agent.log"]) delete left[log];
    assert.deepEqual(left, before);
    assert.deepEqual(await computer.processes(), []);
  }
});

test("killed without a word, nothing runs, and the next attempt is like the first", { skip }, async (t) => {
  for (const hold of [ARCHIVE, "/agent/enroll"]) {
    const computer = await boot(t);
    const known = await edge.newMachine(`killed-${hold.split("/").at(-1)}`);
    const somebody = await standBetween(t, { hold });
    const run = computer.start(somebody.line(known.line));
    await somebody.held;
    await computer.run("kill -KILL -1");
    await run.ended;
    await eventually("nothing to run", async () => (await computer.processes()).length === 0);
    assert.equal(await stat(computer.at("usr/local/bin/vsay-agent")).catch(() => undefined), undefined);
    const again = await computer.run(known.line);
    assert.equal(again.status, 0, again.output);
    await edge.becomes(known, "online");
  }
});

test("a script that arrived in part does nothing", { skip }, async (t) => {
  const computer = await boot(t);
  const before = await computer.state();
  const script = await (await fetch(`${edge.url}/install.sh`)).text();
  await writeFile(computer.at("tmp/install.sh"), script);
  // All of it but the last brace, and each part of the last line.
  const end = Buffer.byteLength(script) - "}\n".length;
  const last = '{ main "$@"; '.length;
  const sizes = [
    ...Array.from({ length: 40 }, (_, n) => Math.round((end * (n + 1)) / 40)),
    ...Array.from({ length: last }, (_, n) => end - n),
  ];
  const { output } = await computer.run(
    `for n in ${sizes.join(" ")}; do head -c $n /tmp/install.sh | VSAY_TOKEN=x sh -s -- --linux-user deploy; done`,
  );
  assert.doesNotMatch(output, /^Downloading|^error:/m);
  await nothingHappened(computer, before);
});

test("no list of processes shows the token", { skip }, async (t) => {
  for (const hold of [ARCHIVE, "/agent/enroll"]) {
    const computer = await boot(t);
    const known = await edge.newMachine(`secret-${hold.split("/").at(-1)}`);
    const somebody = await standBetween(t, { hold });
    // As the script is run: the shell that read the line has it in its words here, and in a terminal none has.
    const [download, rest] = somebody.line(known.line).split(" | VSAY_TOKEN=");
    const [token, ...words] = rest.split(" ");
    await writeFile(computer.at("tmp/token"), token);
    const run = computer.start(`${download} | VSAY_TOKEN=$(cat /tmp/token) ${words.join(" ")}`);
    await somebody.held;
    const listed = (await computer.processes()).join("\n");
    assert.match(listed, hold === ARCHIVE ? /wget/ : /vsay-agent configure --token -/);
    assert.ok(!listed.includes(token), listed);
    somebody.release();
    const { status, output } = await run.ended;
    assert.equal(status, 0, output);
    assert.ok(!output.includes(token));
  }
});

test("an edge in plain text is refused unless it is on this computer or somebody insists", { skip }, async (t) => {
  const computer = await boot(t);
  const before = await computer.state();
  const script = await (await fetch(`${edge.url}/install.sh`)).text();
  await writeFile(computer.at("tmp/install.sh"), script.replaceAll(edge.url, "http://edge.example:8787"));
  const run = (more) => computer.run(`VSAY_TOKEN=x sh /tmp/install.sh --linux-user deploy ${more}`);
  const refused = await run("");
  assert.equal(refused.status, 1);
  assert.match(refused.output, /http:\/\/edge.example:8787 is not https/);
  const insisted = await run("--insecure-http");
  assert.equal(insisted.status, 4, insisted.output);
  const [, missing] = [refused, await computer.run("sh /tmp/install.sh --insecure-http --linux-user deploy", { user: ANN })];
  assert.equal(missing.status, 2, missing.output);
  await nothingHappened(computer, before);
});
