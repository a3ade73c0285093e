// Installs on Debian, by its own curl, sudo and service managers: systemd as it boots, and OpenRC from Debian's package. Not a
// part of `make test`: it downloads two systems the first time and takes minutes.
//
//   node tests/install/debian.mjs [systemd] [openrc]
//
// Takes root, debootstrap, systemd-nspawn (Debian package systemd-container) and what `make build` makes.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { ROOT } from "../../scripts/lib/config.mjs";
import { Edge, eventually } from "./edge.mjs";

const MIRROR = "http://deb.debian.org/debian";
const SUITE = "bookworm";

/** What each has besides Debian's smallest system, its first process, and what says that it has booted. */
const SYSTEMS = {
  systemd: {
    packages: "systemd,systemd-sysv,libpam-systemd,dbus,curl,ca-certificates,sudo,openssl",
    init: "/sbin/init",
    booted: "systemctl is-system-running | grep -qE 'running|degraded'",
  },
  openrc: {
    packages: "openrc,curl,ca-certificates,procps",
    init: "/sbin/openrc-init",
    booted: "[ -e /run/openrc/softlevel ] && [ ! -e /run/openrc/rc.starting ] && rc-status -r | grep -q default",
  },
};

const say = (words) => process.stdout.write(`${words}\n`);

async function run(program, args, options) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
  const [status] = await once(child, "close");
  return { status, output };
}

async function must(program, args) {
  const { status, output } = await run(program, args);
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${output}`);
}

/** A container over a copy of a system that is thrown away afterwards. */
class Container {
  #nspawn;
  #leader;

  static async make(name) {
    const container = new Container();
    Object.assign(container, SYSTEMS[name], { name });
    const base = path.join(ROOT, ".tools/debian", name);
    if (!(await stat(`${base}.done`).catch(() => undefined))) {
      say(`downloading Debian with ${name}`);
      await rm(base, { recursive: true, force: true });
      await mkdir(path.dirname(base), { recursive: true });
      await must("debootstrap", ["--variant=minbase", `--include=${container.packages}`, SUITE, base, MIRROR]);
      await writeFile(`${base}.done`, "");
    }
    container.folder = await mkdtemp(path.join(os.tmpdir(), "vsay-debian-"));
    container.root = path.join(container.folder, "root");
    await must("cp", ["-a", base, container.root]);
    return container;
  }

  async boot() {
    this.#nspawn = spawn(
      "systemd-nspawn",
      ["--quiet", "--register=no", "--keep-unit", `--machine=vsay-${this.name}`, `--directory=${this.root}`, this.init],
      { stdio: "ignore" },
    );
    const pid = this.#nspawn.pid;
    await eventually("the container to begin", async () => {
      this.#leader = (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "")).trim().split(" ").at(-1);
      return this.#leader !== "" && (await this.run(this.booted)).status === 0;
    });
  }

  run(script, user) {
    const words = user ? ["su", "-l", user, "-c", script] : ["/bin/sh", "-c", script];
    const enter = ["--target", this.#leader, "--mount", "--pid", "--ipc", "--uts", "--cgroup", "--root", "--wd=/"];
    return run("nsenter", [
      ...enter,
      "env",
      "-i",
      "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "HOME=/root",
      ...words,
    ]);
  }

  async must(script, user) {
    const { status, output } = await this.run(script, user);
    assert.equal(status, 0, `${script}\n${output}`);
    return output;
  }

  async off() {
    this.#nspawn.kill("SIGKILL");
    // The first process of the container ends everything in it.
    process.kill(Number(this.#leader), "SIGKILL");
    if (this.#nspawn.exitCode === null && this.#nspawn.signalCode === null) await once(this.#nspawn, "exit");
  }

  async remove() {
    await this.off().catch(() => {});
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** The line as the edge made it, with Debian's curl. */
async function installed(edge, container, known, { user, options = "" } = {}) {
  const begun = performance.now();
  const output = await container.must(known.install_command + options, user);
  await edge.becomes(known, "online");
  say(`  ${known.name}: online ${Math.round(performance.now() - begun)} ms after the line was run`);
  return output;
}

async function machine(edge, name, more) {
  return edge.call("POST", "/api/machines", { name, linux_user: "deploy", ...more });
}

async function onSystemd(edge, container) {
  const known = await machine(edge, "debian-root", { allow_sudo: true });
  const output = await installed(edge, container, known);
  assert.match(output, /Its signature is right/);
  assert.match(output, /Started vsay-agent.service, which systemd starts at boot, too/);
  await container.must(
    "systemctl is-active vsay-agent && systemctl is-enabled vsay-agent && sudo -l -U deploy | grep NOPASSWD",
  );

  const first = await container.must("systemctl show -p MainPID --value vsay-agent");
  await container.must("kill -KILL $(systemctl show -p MainPID --value vsay-agent)");
  await eventually("systemd to start it again", async () => {
    const { output: now } = await container.run("systemctl show -p MainPID --value vsay-agent");
    return !["0\n", first].includes(now);
  });
  await edge.becomes(known, "online");

  await container.off();
  await edge.becomes(known, "offline");
  await container.boot();
  await edge.becomes(known, "online");
  say("  it was online again after a kill and after a boot");

  const removed = await container.must(`curl -fsSL ${edge.url}/install.sh | sh -s -- --uninstall`);
  assert.match(removed, /The account deploy stays/);
  await container.must(
    "[ ! -e /usr/local/bin/vsay-agent ] && [ ! -e /etc/vsay ] && [ ! -e /etc/sudoers.d/vsay-agent ] && ! systemctl cat vsay-agent",
  );

  await container.must("useradd -m -s /bin/bash ann && echo 'ann ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/ann");
  const bySudo = await machine(edge, "debian-sudo", { linux_user: "" });
  const withSudo = await installed(edge, container, bySudo, { user: "ann" });
  assert.match(withSudo, /Using sudo to install it for the whole computer/);
  await container.must(
    "[ \"$(stat -c '%U %a' /usr/local/bin/vsay-agent)\" = 'root 755' ] && systemctl is-active vsay-agent",
  );
  const { linux_user } = await edge.machine(bySudo);
  assert.equal(linux_user, "ann");
  await container.must(`curl -fsSL ${edge.url}/install.sh | sh -s -- --uninstall`, "ann");

  await container.must("loginctl enable-linger ann");
  const own = await machine(edge, "debian-user", { linux_user: "" });
  const forUser = await installed(edge, container, own, { user: "ann", options: " --user" });
  assert.match(forUser, /Started vsay-agent.service of your account/);
  assert.match(forUser, /Your account lingers/);
  const asAnn = (words) => container.must(`XDG_RUNTIME_DIR=/run/user/$(id -u) systemctl --user ${words} vsay-agent`, "ann");
  await asAnn("is-active");
  await container.off();
  await container.boot();
  await edge.becomes(own, "online");
  await container.must(`curl -fsSL ${edge.url}/install.sh | sh -s -- --uninstall --user`, "ann");
  await edge.becomes(own, "offline");
  await container.must("[ ! -e ~/.local/bin/vsay-agent ] && [ ! -e ~/.config/vsay ]", "ann");
}

async function onOpenRc(edge, container) {
  const known = await machine(edge, "debian-openrc");
  const output = await installed(edge, container, known);
  assert.match(output, /Started vsay-agent, which OpenRC starts at boot, too/);
  await container.must("rc-service vsay-agent status && rc-update show default | grep vsay-agent");
  await container.must("kill -KILL $(cat /etc/vsay/agent.yaml.lock)");
  await edge.becomes(known, "offline");
  await edge.becomes(known, "online");
  await container.off();
  await edge.becomes(known, "offline");
  await container.boot();
  await edge.becomes(known, "online");
  say("  it was online again after a kill and after a boot");
  await container.must(`curl -fsSL ${edge.url}/install.sh | sh -s -- --uninstall`);
  await edge.becomes(known, "offline");
  await container.must("[ ! -e /etc/init.d/vsay-agent ] && [ ! -e /etc/vsay ] && ! rc-update show | grep vsay-agent");
}

const edge = await Edge.start();
let container;
try {
  const chosen = process.argv.slice(2);
  for (const [name, check] of [
    ["systemd", onSystemd],
    ["openrc", onOpenRc],
  ]) {
    if (chosen.length > 0 && !chosen.includes(name)) continue;
    say(`Debian with ${name}`);
    container = await Container.make(name);
    await container.boot();
    await check(edge, container);
    await container.remove();
    container = undefined;
  }
  say("ok");
} finally {
  await container?.remove();
  await edge.stop();
}
