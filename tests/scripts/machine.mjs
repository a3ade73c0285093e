// Machines that have some programs and lack others, and clones of the project on them.
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before } from "node:test";

const ROOT = path.resolve(import.meta.dirname, "../..");

/** What the scripts themselves use, on any machine. */
const SYSTEM =
  "bash sh env chmod sed cut sort head tail awk df uname mktemp rm mkdir cat dirname id flock touch date find printf grep tr cp mv cmp as ld".split(
    " ",
  );
/** What a person has installed. */
const INSTALLED = ["cargo", "rustc", "rustup", "cc", "node", "npm", "git", "python3"];

let folder;
before(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "vsay-scripts-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** An empty folder that goes when the tests are done. */
export const scratch = (name) => mkdtempSync(path.join(folder, `${name}-`));

function find(program) {
  // What is found by this name may choose between several, and finds none where only this is.
  const command = program === "python3" ? "python3 -c 'import sys; print(sys.executable)'" : `command -v ${program}`;
  const found = spawnSync("sh", ["-c", command], { encoding: "utf8" }).stdout.trim();
  return found.startsWith("/") ? found : undefined;
}

/** Puts a script of a shell where a program is looked for. */
export function program(file, script) {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

/** A folder of programs with all of them but some, and with some others in their place. */
export function machineWith({ without = [], instead = {} }) {
  const bin = scratch("bin");
  for (const name of [...SYSTEM, ...INSTALLED]) {
    const found = find(name);
    if (found !== undefined && !without.includes(name) && !(name in instead)) symlinkSync(found, path.join(bin, name));
  }
  for (const [name, script] of Object.entries(instead)) program(path.join(bin, name), script);
  return bin;
}

/** A fresh clone of what these patterns of git name, with nothing that was built. */
export function freshClone(...patterns) {
  const clone = scratch("clone");
  const list = ["ls-files", "--cached", "--others", "--exclude-standard", ...patterns];
  const files = execFileSync("git", list, { cwd: ROOT, encoding: "utf8" });
  const archive = execFileSync("tar", ["-c", ...files.trim().split("\n")], { cwd: ROOT, maxBuffer: 64 * 1024 * 1024 });
  execFileSync("tar", ["-x"], { cwd: clone, input: archive });
  return clone;
}
