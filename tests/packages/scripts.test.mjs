// What the packages of the agent do to a machine: their scripts, run by sh in a folder that stands for it, with a systemctl
// that writes down what it was asked for.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";

const SCRIPTS = path.resolve(import.meta.dirname, "../../agent/packaging");
const UNIT = "etc/systemd/system/vsay-agent.service";
const KEPT = ["etc/vsay/agent.key", "etc/sudoers.d/vsay-agent", "var/lib/vsay/log", UNIT];

/** A machine whose service starts `program`. */
async function machine(t, program) {
  const root = await mkdtemp(path.join(os.tmpdir(), "vsay-machine-"));
  t.after(() => rm(root, { recursive: true, force: true }));
  const write = async (file, text) => {
    await mkdir(path.dirname(path.join(root, file)), { recursive: true });
    await writeFile(path.join(root, file), text);
  };
  for (const file of KEPT) await write(file, "");
  await write(UNIT, `[Service]\nExecStart="${program}" start --config "/etc/vsay/agent.yaml"\n`);
  await write("bin/systemctl", `#!/bin/sh\necho "$*" >>'${root}/asked'\n`);
  await chmod(path.join(root, "bin/systemctl"), 0o755);
  return {
    /** Runs a script as the package manager does; gives what it says. */
    async run(script, ...args) {
      const text = await readFile(path.join(SCRIPTS, script), "utf8");
      const here = text.replaceAll(/(?<=[\s=])\/(?=(etc|var|run|usr\/(libexec|share))\/)/g, `${root}/`);
      assert.doesNotMatch(
        here.replaceAll(`${root}/`, ""),
        /\/(etc|var|run|usr\/(libexec|share))\//,
        "nothing of this machine is touched",
      );
      const env = { PATH: `${root}/bin:${process.env.PATH}` };
      return execFileSync("sh", ["-c", here, script, ...args], { encoding: "utf8", env });
    },
    asked: () => readFile(path.join(root, "asked"), "utf8").catch(() => ""),
    kept: () => KEPT.filter((file) => existsSync(path.join(root, file))),
  };
}

test("removing a package stops the service and keeps the key", async (t) => {
  for (const [script, arg] of [
    ["deb/prerm", "remove"],
    ["rpm/preun", "0"],
  ]) {
    const it = await machine(t, "/usr/bin/vsay-agent");
    await it.run(script, arg);
    assert.equal(await it.asked(), "disable --now vsay-agent.service\n", script);
    assert.deepEqual(it.kept(), KEPT);
  }
});

test("an upgrade neither stops nor restarts the service, and says how to", async (t) => {
  const it = await machine(t, "/usr/bin/vsay-agent");
  await it.run("deb/prerm", "upgrade", "0.2.0");
  await it.run("rpm/preun", "1");
  await it.run("deb/postrm", "upgrade", "0.2.0");
  for (const said of [await it.run("deb/postinst", "configure", "0.1.0"), await it.run("rpm/post", "2")]) {
    assert.match(said, /systemctl restart vsay-agent/);
  }
  assert.equal(await it.asked(), "");
  assert.deepEqual(it.kept(), KEPT);
});

test("a first installation enrols nothing and says how to", async (t) => {
  const it = await machine(t, "/usr/bin/vsay-agent");
  for (const said of [await it.run("deb/postinst", "configure", ""), await it.run("rpm/post", "1")]) {
    assert.match(said, /sudo vsay-agent configure --host \S+ --token TOKEN --linux-user \S+\n$/);
  }
  assert.equal(await it.asked(), "");
});

test("purging removes the key and all that configure wrote, and rpm says what to remove", async (t) => {
  const it = await machine(t, "/usr/bin/vsay-agent");
  await it.run("deb/postrm", "remove");
  assert.deepEqual(it.kept(), KEPT);
  assert.match(await it.run("rpm/postun", "0"), /rm -rf \S*\/etc\/vsay /);
  await it.run("deb/postrm", "purge");
  assert.deepEqual(it.kept(), []);
});

test("another agent than the package's is left alone", async (t) => {
  const it = await machine(t, "/usr/local/bin/vsay-agent");
  await it.run("deb/prerm", "remove");
  await it.run("rpm/preun", "0");
  await it.run("deb/postrm", "purge");
  assert.equal(await it.asked(), "");
  assert.deepEqual(it.kept(), KEPT);
});
