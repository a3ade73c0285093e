// The one line that the edge shows for a new machine, run on computers that have next to nothing.
import assert from "node:assert/strict";
import { glob, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { Edge, eventually } from "./edge.mjs";
import { ANN, boot, cannotRun } from "./machine.mjs";

const skip = (await cannotRun()) ?? false;

/** A machine is online this soon after its line was run, on an idle computer; a busy one gets several times as long. */
const PROMISED_MS = 10_000;

/** A directory of accounts that the C library asks, and a program that is linked statically cannot. */
const [DIRECTORY] = await Array.fromAsync(glob("/usr/lib/{,*-linux-gnu/}libnss_extrausers.so.2"));
const noDirectory = DIRECTORY === undefined && "there is no directory of accounts (apt-get install libnss-extrausers)";

/** PAM, which a program finds at run time. */
const [PAM] = await Array.fromAsync(glob("/usr/lib/{,*-linux-gnu/}libpam.so.0"));
const noPam = PAM === undefined && "this computer has no PAM";

/** What the helper itself is linked with, beside the C library: parts of it, since glibc 2.34, that every system still has. */
const LINKED = noPam ? [] : ["libpthread.so.0", "libdl.so.2"].map((name) => path.join(path.dirname(PAM), name));

let edge;

before(async () => {
  if (!skip) edge = await Edge.start();
});

after(() => edge?.stop());

async function exists(machine, file) {
  return (await stat(machine.at(file)).catch(() => undefined)) !== undefined;
}

/** Installs, and waits until the edge sees it. */
async function install(computer, known, { options = "", ...how } = {}) {
  const { status, output } = await computer.run(known.line + options, how);
  assert.equal(status, 0, output);
  await edge.becomes(known, "online");
  return output;
}

test("an empty computer becomes a machine by the one line", { skip }, async (t) => {
  const computer = await boot(t, { bare: true });
  const empty = await computer.state();
  const other = await computer.run((await edge.newMachine("accountless")).line);
  assert.equal(other.status, 6, other.output);
  assert.match(other.output, /there is no user "deploy" on this machine, and no useradd or adduser to make it/);
  assert.deepEqual(await computer.state(), empty);

  const known = await edge.newMachine("bare", { linux_user: ANN.name });
  const begun = performance.now();
  const output = await install(computer, known);
  const took = performance.now() - begun;
  t.diagnostic(`installed and online after ${Math.round(took)} ms`);
  assert.ok(took < 5 * PROMISED_MS, `it took ${took} ms`);

  for (const words of [
    `Downloading ${edge.url}/agent/download/vsay-agent-`,
    "Its checksum is right",
    "Its signature cannot be checked here",
    "This machine has no PAM that can be used (its C library is not glibc): shells start without it.",
    "Wrote /usr/local/bin/vsay-agent.",
    "was started in the background, as process",
    "/usr/local/bin/vsay-agent start --background --config /etc/vsay/agent.yaml",
    "Done: this computer is a machine of",
  ]) {
    assert.ok(output.includes(words), `${words}\nis not in\n${output}`);
  }
  const mode = async (file) => ((await stat(computer.at(file))).mode & 0o777).toString(8);
  assert.equal(await mode("usr/local/bin/vsay-agent"), "755");
  assert.equal(await mode("etc/vsay/agent.key"), "600");

  // What the token was is in no file, and in no environment of what runs.
  await writeFile(computer.at("tmp/token"), known.registration_token);
  const { output: found } = await computer.run(
    "cd /; cat proc/$(cat etc/vsay/agent.yaml.lock)/environ | grep -c -a -f tmp/token; grep -rlf tmp/token etc home root run usr var",
  );
  assert.equal(found, "0\n");

  // As the line says it: after a boot the same words start it again, and it is the same machine.
  await computer.run("kill $(cat /etc/vsay/agent.yaml.lock)");
  await edge.becomes(known, "offline");
  const again = await computer.run("/usr/local/bin/vsay-agent start --background --config /etc/vsay/agent.yaml");
  assert.equal(again.status, 0, again.output);
  await edge.becomes(known, "online");
});

test("the helper for PAM is installed where there is PAM, and goes with the agent", { skip: skip || noPam }, async (t) => {
  const without = await boot(t, { hostPrograms: LINKED });
  const alone = await edge.newMachine("without-pam", { linux_user: ANN.name });
  const said = await install(without, alone);
  assert.match(said, /has no PAM that can be used \(.*\): shells start without it/);
  assert.ok(!(await exists(without, "usr/local/bin/vsay-pam")));

  const computer = await boot(t, { hostPrograms: [PAM, ...LINKED] });
  await computer.run("mkdir -p /etc/pam.d && touch /etc/pam.d/login");
  const before = await computer.state();
  const known = await edge.newMachine("with-pam", { linux_user: ANN.name });
  const output = await install(computer, known);
  assert.ok(output.includes("Wrote /usr/local/bin/vsay-pam."), output);
  assert.match(
    await readFile(computer.at("var/log/vsay-agent.log"), "utf8"),
    /shells get sessions of PAM, by its service login/,
  );

  const removed = await computer.run(`wget -qO- ${edge.url}/install.sh | sh -s -- --uninstall`);
  assert.equal(removed.status, 0, removed.output);
  assert.ok(removed.output.includes("Removed /usr/local/bin/vsay-pam"), removed.output);
  await edge.becomes(known, "offline");
  assert.deepEqual(await computer.state(), before);
});

test("an ordinary account installs for itself, and takes it back", { skip }, async (t) => {
  const computer = await boot(t);
  const before = await computer.state();
  const known = await edge.newMachine("own", { linux_user: "" });
  const output = await install(computer, known, { user: ANN });
  assert.ok(output.includes("Wrote /home/ann/.local/bin/vsay-agent."), output);
  assert.ok(output.includes("Its log is /home/ann/.config/vsay/agent.log"), output);
  const owned = await computer.run("find / -xdev -user ann -path '*vsay*'; ls /usr/local/bin /etc/vsay");
  assert.ok(owned.output.includes("/home/ann/.config/vsay/agent.key"));

  const removed = await computer.run(`wget -qO- ${edge.url}/install.sh | sh -s -- --uninstall`, { user: ANN });
  assert.equal(removed.status, 0, removed.output);
  assert.match(removed.output, /The machine "own" stays at .* until somebody deletes it there/);
  await edge.becomes(known, "offline");
  const left = await computer.state();
  // Folders that other programs share stay.
  for (const folder of ["/home/ann/.config", "/home/ann/.local", "/home/ann/.local/bin"]) delete left[folder];
  assert.deepEqual(left, before);
});

test("an ordinary account is told what only root can do, before anything is done", { skip }, async (t) => {
  const computer = await boot(t);
  const before = await computer.state();
  const known = await edge.newMachine("others");
  const { status, output } = await computer.run(known.line, { user: ANN });
  assert.equal(status, 2);
  assert.ok(output.includes("Only root can have shells run as deploy"), output);
  assert.deepEqual(await computer.state(), before);
});

test("a service manager keeps the agent, and uninstalling leaves the account alone", { skip }, async (t) => {
  for (const [manager, file, stopped] of [
    ["systemd", "/etc/systemd/system/vsay-agent.service", /^disable --now vsay-agent.service$/m],
    ["openrc", "/etc/init.d/vsay-agent", /^rc-service vsay-agent stop\nrc-update del vsay-agent default$/m],
  ]) {
    const computer = await boot(t, { manager });
    const before = await computer.state();
    const known = await edge.newMachine(`kept-by-${manager}`);
    const output = await install(computer, known, {
      options: " --name ignored",
      env: { HTTPS_PROXY: "http://proxy.example:3128/?a=$b" },
    });
    assert.ok(output.includes("Made the account deploy."), output);
    assert.match(await readFile(computer.at("etc/passwd"), "utf8"), /^deploy:x:\d+:\d+:.*:\/home\/deploy:\/bin\/sh$/m);
    assert.match(output, manager === "systemd" ? /Started vsay-agent.service/ : /OpenRC starts at boot, too/);
    assert.ok(await exists(computer, file));
    assert.match(await readFile(computer.at("etc/vsay/agent.env"), "utf8"), /^HTTPS_PROXY=/m);
    if (manager === "openrc") {
      const { output: proxy } = await computer.run("tr '\\0' '\\n' </proc/$(cat /etc/vsay/agent.yaml.lock)/environ");
      assert.ok(proxy.split("\n").includes("HTTPS_PROXY=http://proxy.example:3128/?a=$b"), proxy);
    }

    const removed = await computer.run(`wget -qO- ${edge.url}/install.sh | sh -s -- --uninstall`);
    assert.equal(removed.status, 0, removed.output);
    assert.ok(removed.output.includes("The account deploy stays"), removed.output);
    assert.match(await readFile(computer.at(`run/${manager === "systemd" ? "systemctl" : "openrc"}.log`), "utf8"), stopped);
    assert.deepEqual(await computer.processes(), []);
    const left = await computer.state();
    for (const name of Object.keys(left)) {
      const changed = left[name] !== before[name];
      if (changed)
        assert.match(name, /^\/etc\/(passwd|shadow|group|gshadow)-?$|^\/home(\/deploy|$)|^\/run|^\/var\/log/, name);
    }
    for (const name of Object.keys(before)) assert.ok(left[name] !== undefined, `${name} is gone`);
  }
});

test("installing again upgrades in place, and one that cannot start makes way for what ran", { skip }, async (t) => {
  const computer = await boot(t, { manager: "systemd" });
  const known = await edge.newMachine("twice");
  await install(computer, known);
  const running = async () => (await readFile(computer.at("etc/vsay/agent.yaml.lock"), "utf8")).trim();
  const first = await running();
  // An older one is there.
  const program = computer.at("usr/local/bin/vsay-agent");
  await computer.run(
    "cp /usr/local/bin/vsay-agent /tmp/old && echo old >>/tmp/old && mv /tmp/old /usr/local/bin/vsay-agent",
  );
  const old = await readFile(program);

  const refused = await computer.run(known.line);
  assert.equal(refused.status, 6, refused.output);
  assert.match(refused.output, /does not accept this token/);
  assert.equal(await running(), first, "it was not disturbed");
  assert.ok(old.equals(await readFile(program)));

  await writeFile(computer.at("run/systemctl.fails"), "");
  const failed = await computer.run(await edge.newLine(known));
  assert.equal(failed.status, 6, failed.output);
  assert.match(failed.output, /Job for vsay-agent.service failed; the token is spent/);
  assert.ok(old.equals(await readFile(program)), "the old one is back");
  await edge.becomes(known, "online");

  const second = { ...known, line: await edge.newLine(known) };
  const before = await running();
  await install(computer, second);
  assert.notEqual(await running(), before);
  assert.ok(!old.equals(await readFile(program)));
  assert.deepEqual(
    (await computer.run("ls -A /usr/local/bin")).output.trim().split("\n"),
    ["vsay-agent"],
    "nothing else is left there",
  );
});

test("an account of a directory is found and not made", { skip: skip || noDirectory }, async (t) => {
  const computer = await boot(t, { hostPrograms: ["/usr/bin/getent", "/usr/bin/id", DIRECTORY] });
  await computer.run(
    "mkdir -p /var/lib/extrausers /srv/carol && rm -f /bin/id /bin/getent && chown 7000:7000 /srv/carol &&" +
      "echo 'passwd: files extrausers\ngroup: files extrausers' >/etc/nsswitch.conf &&" +
      "echo 'carol:x:7000:7000::/srv/carol:/bin/sh' >/var/lib/extrausers/passwd &&" +
      "echo 'carol:x:7000:' >/var/lib/extrausers/group",
  );
  const accounts = await readFile(computer.at("etc/passwd"), "utf8");
  const known = await edge.newMachine("directory", { linux_user: "carol" });
  const output = await install(computer, known);
  assert.ok(!output.includes("Made the account"), output);
  assert.equal(await readFile(computer.at("etc/passwd"), "utf8"), accounts);
  const validated = await computer.run("/usr/local/bin/vsay-agent validate");
  assert.equal(validated.status, 0, validated.output);
});

test("what would be done is said, and nothing is done", { skip }, async (t) => {
  const computer = await boot(t);
  const before = await computer.state();
  const known = await edge.newMachine("planned");
  const { status, output } = await computer.run(`${known.line} --dry-run`);
  assert.equal(status, 0, output);
  for (const words of ["/usr/local/bin/vsay-agent", "deploy", edge.url]) assert.ok(output.includes(words), output);
  assert.deepEqual(await computer.state(), before);
  assert.equal((await edge.machine(known)).status, "pending");
  const help = await computer.run(`wget -qO- ${edge.url}/install.sh | sh -s -- --help`);
  assert.equal(help.status, 0);
  assert.ok(help.output.includes(edge.url));
  const wrong = await computer.run(`${known.line} --linux-usr x`);
  assert.equal(wrong.status, 2);
  assert.ok(wrong.output.includes("There is no option --linux-usr"), wrong.output);
  await eventually("nothing to run", async () => (await computer.processes()).length === 0);
});
