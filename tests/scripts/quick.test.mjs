// What `make dev` builds is ready soon, and is never taken for what others are handed.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { before, test } from "node:test";
import { freshClone, machineWith, program } from "./machine.mjs";

/** A compiler that only writes down in which profile it was asked for what, and leaves something where that belongs. */
const CARGO = `
while [ $# -gt 0 ]; do
  case $1 in --profile) profile=$2 ;; --target) target=$2 ;; -p | --bin) packages="$packages $2" ;; esac
  shift
done
[ -n "$profile" ] || exit 1
echo "$profile$packages" >>"$LOG"
folder=$CARGO_TARGET_DIR/\${target:+\${target%.2.17}/}$profile
[ "$profile" != dev ] || folder=$CARGO_TARGET_DIR/debug
mkdir -p "$folder"
for package in $packages vsay_edge.wasm; do echo "$profile" >"$folder/$package"; done
cat >"$folder/glue" <<'GLUE'
#!/bin/sh
[ "$1" = sort ] || cp "$1" "$2/index_bg.wasm"
GLUE
chmod +x "$folder/glue"`;

let clone;
let env;
before(() => {
  clone = freshClone(
    "scripts",
    "src",
    "durable-objects",
    "protocol",
    "migrations",
    "agent",
    "cli",
    "login",
    "network",
    "pam",
  );
  for (const file of ["Cargo.toml", "Cargo.lock", "build.rs", "rust-toolchain.toml"])
    writeFileSync(path.join(clone, file), "");
  const bin = machineWith({ instead: { cargo: CARGO } });
  program(path.join(clone, "node_modules/.bin/esbuild"), `for last; do :; done; echo bundled >"\${last#--outfile=}"`);
  program(path.join(clone, "node_modules/.bin/wasm-opt"), 'echo wasm-opt >>"$LOG"');
  // Which is asked by the name of what it stands before.
  program(path.join(clone, ".tools/python/bin/cargo-zigbuild"), 'shift; exec cargo "$@"');
  env = { PATH: bin, HOME: clone, LOG: path.join(clone, "log"), CARGO_TARGET_DIR: path.join(clone, "target") };
});

/** What was asked of compilers for it, a line for each. */
function build(...args) {
  writeFileSync(env.LOG, "");
  const { status, stderr } = spawnSync("bash", ["scripts/build.sh", ...args], { cwd: clone, env, encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return readFileSync(env.LOG, "utf8").split("\n").slice(0, -1);
}

const read = (file) => readFileSync(path.join(clone, file), "utf8").trim();

test("the Worker that make dev has is built again where it is handed out, and then stays for make dev", () => {
  assert.deepEqual(build("--quick", "worker"), ["quick glue", "quick vsay-edge"]);
  assert.equal(read("build/index_bg.wasm"), "quick");
  assert.deepEqual(build("--quick", "worker"), []);
  assert.deepEqual(build("worker"), ["dev glue", "release vsay-edge", "wasm-opt"]);
  assert.equal(read("build/index_bg.wasm"), "release");
  assert.deepEqual(build("worker"), []);
  assert.deepEqual(build("--quick", "worker"), []);
});

test("once its source has changed, make dev builds it quickly", () => {
  appendFileSync(path.join(clone, "src/lib.rs"), "// changed\n");
  assert.deepEqual(build("--quick", "worker"), ["quick glue", "quick vsay-edge"]);
});

test("the programs that make dev has are built again where they are handed out", {
  skip: process.platform !== "linux",
}, () => {
  assert.deepEqual(build("--quick", "native"), ["quick vsay-agent vsay", "quick vsay-pam"]);
  assert.equal(read("build/bin/vsay-agent"), "quick");
  assert.deepEqual(build("--quick", "native"), []);
  assert.deepEqual(build("native"), ["release vsay-agent vsay", "release vsay-pam"]);
  assert.equal(read("build/bin/vsay-agent"), "release");
  assert.deepEqual(build("--quick", "native"), []);
});

test("a plan builds nothing, and says only what there is to do", () => {
  const plan = (...args) =>
    spawnSync("bash", ["scripts/build.sh", "--plan", ...args], { cwd: clone, env, encoding: "utf8" }).stdout;
  mkdirSync(path.join(clone, "build"), { recursive: true });
  appendFileSync(path.join(clone, "src/lib.rs"), "// changed again\n");
  assert.equal(plan("worker"), "worker\tthe Worker\n");
  assert.equal(plan("--quick", "worker"), "worker-quick\tthe Worker\n");
  assert.ok(existsSync(env.LOG));
});
