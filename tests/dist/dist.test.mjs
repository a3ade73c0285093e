// What `make dist` makes, in the folder DIST: verified by the programs that people have, minisign and OpenSSL, and read by dpkg
// and rpm. `scripts/test.sh dist` makes it and runs this.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

const DIST = process.env.DIST;
const ROOT = path.resolve(import.meta.dirname, "../..");
/** Every file but for signatures and checksums; those for macOS only where they can be made. */
const FILES = [
  "agent/download/vsay-agent-aarch64.rpm",
  "agent/download/vsay-agent-aarch64.tar.gz",
  "agent/download/vsay-agent-amd64.deb",
  "agent/download/vsay-agent-arm64.deb",
  "agent/download/vsay-agent-x86_64.rpm",
  "agent/download/vsay-agent-x86_64.tar.gz",
  "cli/download/vsay-linux-aarch64.tar.gz",
  "cli/download/vsay-linux-x86_64.tar.gz",
  ...(process.platform === "darwin"
    ? ["aarch64", "x86_64"].map((processor) => `cli/download/vsay-macos-${processor}.tar.gz`)
    : []),
  "cli/download/vsay-windows-x86_64.zip",
  "vsay-agent.cdx.json",
  "vsay-pam.cdx.json",
  "vsay.cdx.json",
];

const execute = promisify(execFile);
const run = async (program, ...args) => (await execute(program, args, { env: { ...process.env, LC_ALL: "C" } })).stdout;

async function scratch(t) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "vsay-dist-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test("there is each file, with its checksum and signature, and nothing else", async () => {
  const entries = await readdir(DIST, { recursive: true, withFileTypes: true });
  const found = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(DIST, path.join(entry.parentPath, entry.name)));
  const expected = [...FILES.flatMap((file) => [file, `${file}.minisig`, `${file}.sha256`]), "vsay.pub"];
  assert.deepEqual(found.sort(), expected.sort());
  for (const file of FILES) {
    const hex = createHash("sha256")
      .update(await readFile(path.join(DIST, file)))
      .digest("hex");
    assert.equal(await readFile(path.join(DIST, `${file}.sha256`), "utf8"), `${hex}  ${path.basename(file)}\n`);
  }
});

test("minisign verifies each file, and refuses it when it was changed or another key signed it", async (t) => {
  const folder = await scratch(t);
  const another = path.join(folder, "another.pub");
  await run("minisign", "-G", "-W", "-p", another, "-s", path.join(folder, "another.key"));
  const verify = (file, key = path.join(DIST, "vsay.pub")) => run("minisign", "-V", "-p", key, "-m", file);
  for (const file of FILES.map((name) => path.join(DIST, name))) {
    assert.match(await verify(file), new RegExp(`file:${path.basename(file)}\thashed`));
    await assert.rejects(verify(file, another));
    const changed = path.join(folder, "changed");
    await writeFile(changed, Buffer.concat([await readFile(file), Buffer.from("!")]));
    await writeFile(`${changed}.minisig`, await readFile(`${file}.minisig`));
    await assert.rejects(verify(changed), /Signature verification failed/);
  }
});

test("a key that minisign made signs, with its password only", async (t) => {
  const folder = await scratch(t);
  const [key, publicKey, ours, file] = ["vsay.key", "vsay.pub", "ours.pub", "file"].map((name) => path.join(folder, name));
  const made = execute("minisign", ["-G", "-p", publicKey, "-s", key]);
  made.child.stdin.end("a password\na password\n");
  await made;
  await writeFile(file, "what is signed");
  const sign = (password) =>
    execute(process.execPath, [path.join(ROOT, "scripts/sign.mjs"), "--key", key, "--public", ours, file], {
      env: { ...process.env, VSAY_SIGNING_PASSWORD: password },
    });
  await assert.rejects(sign("another"), /the password is not that of the key/);
  await assert.rejects(sign(undefined), /set VSAY_SIGNING_PASSWORD/);
  await sign("a password");
  assert.equal(await readFile(ours, "utf8"), await readFile(publicKey, "utf8"));
  await run("minisign", "-V", "-p", publicKey, "-m", file);
});

test("the way of the docs to verify with OpenSSL accepts a file and refuses it when it was changed", async (t) => {
  const docs = await readFile(path.join(ROOT, "docs/releases.md"), "utf8");
  const script = /```sh\n(\{ printf[^`]+)```/.exec(docs)?.[1];
  assert.ok(script, "the docs have the commands");
  const folder = await scratch(t);
  const name = "vsay-agent-x86_64.tar.gz";
  const content = await readFile(path.join(DIST, "agent/download", name));
  await writeFile(path.join(folder, "vsay.pub"), await readFile(path.join(DIST, "vsay.pub")));
  await writeFile(
    path.join(folder, `${name}.minisig`),
    await readFile(path.join(DIST, "agent/download", `${name}.minisig`)),
  );
  const verify = async (bytes) => {
    await writeFile(path.join(folder, name), bytes);
    return (await execute("sh", ["-ec", script], { cwd: folder })).stdout;
  };
  assert.match(await verify(content), /Signature Verified Successfully/);
  content[content.length - 1] ^= 1;
  await assert.rejects(verify(content));
});

test("the packages have the programs in their places, need no other, and are for the right processor", async () => {
  const version = (await run(process.env.VSAY_AGENT_BIN ?? path.join(ROOT, "build/bin/vsay-agent"), "version"))
    .trim()
    .split(" ")[1];
  for (const processor of ["amd64", "arm64"]) {
    const deb = path.join(DIST, "agent/download", `vsay-agent-${processor}.deb`);
    const files = await run("dpkg-deb", "-c", deb);
    // Root, by the names or by the numbers.
    for (const file of ["usr/bin/vsay-agent", "usr/libexec/vsay/vsay-pam"])
      assert.match(files, new RegExp(`^-rwxr-xr-x (?:root/root|0/0) +\\d+ \\S+ \\S+ \\./${file}$`, "m"));
    const field = async (name) => (await run("dpkg-deb", "-f", deb, name)).trim();
    assert.equal(await field("Package"), "vsay-agent");
    assert.equal(await field("Architecture"), processor);
    assert.equal(await field("Depends"), "");
    assert.ok((await field("Version")).startsWith(version));
  }
  for (const processor of ["x86_64", "aarch64"]) {
    const rpm = path.join(DIST, "agent/download", `vsay-agent-${processor}.rpm`);
    const query = (...args) => run("rpm", "-qp", "--nosignature", ...args, rpm);
    const files = (await query("-l")).split("\n");
    for (const file of ["/usr/bin/vsay-agent", "/usr/libexec/vsay/vsay-pam"])
      assert.ok(files.includes(file), `${file} is not in ${files}`);
    assert.equal(await query("--qf", "%{NAME} %{VERSION} %{ARCH}"), `vsay-agent ${version} ${processor}`);
    // What rpm itself must be able to do, and nothing else.
    assert.deepEqual(
      (await query("--requires")).split("\n").filter((line) => line && !/^(rpmlib\(|\/bin\/sh$)/.test(line)),
      [],
    );
  }
});

test("the helper for PAM runs with every glibc since 2.17, and takes no other library", async (t) => {
  for (const processor of ["x86_64", "aarch64"]) {
    const folder = await scratch(t);
    await run("tar", "-xzf", path.join(DIST, "agent/download", `vsay-agent-${processor}.tar.gz`), "-C", folder);
    assert.deepEqual((await readdir(folder)).sort(), ["LICENSE", "vsay-agent", "vsay-pam"]);
    const helper = path.join(folder, "vsay-pam");
    const needed = [...(await run("readelf", "-d", helper)).matchAll(/\(NEEDED\).*\[(.+)\]/g)].map((match) => match[1]);
    assert.ok(needed.includes("libc.so.6"), needed.join(" "));
    for (const library of needed) assert.match(library, /^(lib(c|dl|pthread|m)\.so\.\d|ld-linux-[\w-]+\.so\.\d)$/);
    const versions = [...(await run("readelf", "-V", helper)).matchAll(/GLIBC_2\.(\d+)/g)].map((match) => Number(match[1]));
    assert.ok(versions.length > 0);
    assert.ok(Math.max(...versions) <= 17, `it wants glibc 2.${Math.max(...versions)}`);
  }
});

test("the archive for Windows has the program and its license", async (t) => {
  const folder = await scratch(t);
  const python = path.join(ROOT, ".tools/python/bin/python");
  await run(python, "-m", "zipfile", "-e", path.join(DIST, "cli/download/vsay-windows-x86_64.zip"), folder);
  assert.deepEqual((await readdir(folder)).sort(), ["LICENSE", "vsay.exe"]);
  assert.equal((await readFile(path.join(folder, "vsay.exe"))).toString("latin1", 0, 2), "MZ");
  assert.ok((await stat(path.join(folder, "vsay.exe"))).size > 1_000_000);
});

test("the lists of what is inside name our own program and the crates it has", async () => {
  const expected = {
    "vsay-agent": ["tokio", "rustls", "mimalloc", "protocol", "login", "tempfile"],
    "vsay-pam": ["libloading", "login"],
    vsay: ["tokio", "rustls", "mimalloc", "protocol"],
  };
  for (const [name, has] of Object.entries(expected)) {
    const list = JSON.parse(await readFile(path.join(DIST, `${name}.cdx.json`), "utf8"));
    assert.equal(list.bomFormat, "CycloneDX");
    assert.equal(list.metadata.component.name, name);
    const crates = new Set(list.components.map((component) => component.name));
    for (const crate of has) assert.ok(crates.has(crate), `${name} has ${crate}`);
    // What others have, or only tests.
    for (const crate of ["vt100", "tempfile", "libloading"]) assert.equal(crates.has(crate), has.includes(crate), crate);
    // Nothing of where it was made.
    assert.ok(!JSON.stringify(list).includes(ROOT), "no path of this machine");
  }
});
