// What dpkg and rpm do with the packages, on computers of the tests with either processor: one becomes a machine, is upgraded, and in
// the end nothing is left.
import assert from "node:assert/strict";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { Edge } from "../install/edge.mjs";
import { cannotEmulate, OTHER_PROCESSOR } from "../install/emulator.mjs";
import { ANN, boot, cannotRun } from "../install/machine.mjs";

const OWN_PROCESSOR = process.arch === "arm64" ? "aarch64" : "x86_64";
const UNIT = "etc/systemd/system/vsay-agent.service";

/** What each manager is told; `gone` are the words by which what it keeps is removed, too. */
const MANAGERS = {
  dpkg: {
    async prepare(computer) {
      for (const folder of ["info", "updates", "triggers"])
        await mkdir(computer.at(`var/lib/dpkg/${folder}`), { recursive: true });
      await writeFile(computer.at("var/lib/dpkg/status"), "");
    },
    file: (processor) => `vsay-agent-${{ x86_64: "amd64", aarch64: "arm64" }[processor]}.deb`,
    words: (root, ...rest) => ["dpkg", `--root=${root}`, "--log=/dev/null", "--force-architecture", ...rest],
    install: ["--install"],
    upgrade: ["--install"],
    remove: ["--remove", "vsay-agent"],
    purge: ["--purge", "vsay-agent"],
  },
  rpm: {
    prepare: async () => {},
    file: (processor) => `vsay-agent-${processor}.rpm`,
    // No package of the computer has the shell that its scripts take.
    words: (root, ...rest) => ["rpm", `--root=${root}`, "--dbpath=/var/lib/rpm", "--nodeps", ...rest],
    install: ["--install", "--nosignature", "--ignorearch"],
    upgrade: ["--upgrade", "--nosignature", "--ignorearch", "--force"],
    remove: ["--erase", "vsay-agent"],
    // It knows no such thing, and says what to do instead.
    purge: undefined,
  },
};

const skip = (await cannotRun()) ?? false;
const noOther = (await cannotEmulate()) ?? false;
let edge;

before(async () => {
  if (!skip) edge = await Edge.start();
});

after(() => edge?.stop());

for (const [name, manager] of Object.entries(MANAGERS)) {
  for (const processor of [OWN_PROCESSOR, OTHER_PROCESSOR]) {
    const emulated = processor === OTHER_PROCESSOR;
    test(`${name} on ${processor} installs, upgrades and removes the agent`, {
      skip: skip || (emulated && noOther),
    }, async (t) => {
      const computer = await boot(t, { manager: "systemd", emulated });
      await manager.prepare(computer);
      const before = await computer.state();
      const file = path.join(process.env.DIST, "agent/download", manager.file(processor));
      const manage = async (...rest) => {
        const { status, output } = await computer.runFromOutside(...manager.words(computer.root, ...rest));
        assert.equal(status, 0, output);
        return output;
      };
      const exists = (file) =>
        stat(computer.at(file)).then(
          () => true,
          () => false,
        );

      assert.match(await manage(...manager.install, file), /sudo vsay-agent configure --host /);
      for (const program of ["usr/bin/vsay-agent", "usr/libexec/vsay/vsay-pam"])
        assert.equal((await stat(computer.at(program))).mode & 0o7777, 0o755, program);
      assert.ok(!(await exists(UNIT)), "nothing is started that nobody has configured");

      const known = await edge.newMachine(`${name}-${processor}`, { linux_user: ANN.name });
      await writeFile(computer.at("tmp/token"), known.registration_token);
      const configured = await computer.run(
        `vsay-agent configure --token - --host ${edge.url} --linux-user ${ANN.name} </tmp/token`,
      );
      assert.equal(configured.status, 0, configured.output);
      await edge.becomes(known, "online");
      const unit = await readFile(computer.at(UNIT), "utf8");
      assert.match(unit, /^ExecStart="\/usr\/bin\/vsay-agent" start /m);
      assert.match(unit, /CAP_AUDIT_WRITE/, "the helper gets what PAM takes");

      const running = () => readFile(computer.at("etc/vsay/agent.yaml.lock"), "utf8");
      const first = await running();
      assert.match(await manage(...manager.upgrade, file), /sudo systemctl restart vsay-agent/);
      assert.equal(await running(), first, "the shells of whoever is at work go on");
      assert.ok(await exists("usr/libexec/vsay/vsay-pam"));

      const said = await manage(...manager.remove);
      await edge.becomes(known, "offline");
      for (const file of ["usr/bin/vsay-agent", "usr/libexec/vsay"]) assert.ok(!(await exists(file)), file);
      assert.ok(await exists("etc/vsay/agent.key"), "whoever installs it again has the same machine");
      if (manager.purge) {
        await manage(...manager.purge);
      } else {
        const command = /sudo (rm -rf .+)/.exec(said)?.[1];
        assert.ok(command, said);
        assert.equal((await computer.run(command)).status, 0);
      }
      const left = await computer.state();
      const own = (file) => /^\/(run|var\/log|var\/lib\/(dpkg|rpm)|usr\/lib\/sysimage)(\/|$)/.test(file);
      const changed = Object.keys({ ...before, ...left }).filter((file) => before[file] !== left[file] && !own(file));
      // Folders that a package does not own, and that others share.
      const shared = [
        "/etc/systemd/system",
        "/usr/share",
        "/usr/share/doc",
        "/usr/share/licenses",
        "/usr/libexec",
        "/var/lib",
        "/usr/lib",
      ];
      assert.deepEqual(
        changed.filter((file) => !shared.includes(file)),
        [],
      );
      assert.deepEqual(await computer.processes(), []);
    });
  }
}
