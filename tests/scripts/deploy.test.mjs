// What is deployed hands out programs that are made of what there is now, and signed by the key that is named now.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { before, test } from "node:test";
import { makeKey, readKey } from "../../scripts/lib/sign.mjs";
import { freshClone, machineWith, program } from "./machine.mjs";

/** Makes programs that are nothing but files, and signs them as the real one does. */
const DIST = `
echo dist >>"$LOG"
mkdir -p dist/agent/download
for processor in x86_64 aarch64; do echo program >"dist/agent/download/vsay-agent-$processor.tar.gz"; done
node scripts/sign.mjs --key "\${VSAY_SIGNING_KEY:?a key is wanted}" --public dist/vsay.pub dist/agent/download/*.tar.gz`;

let clone;
let env;
const keys = {};
before(() => {
  clone = freshClone("scripts", "agent", "cli", "login", "network", "pam", "protocol", "LICENSE", "*.toml", "Cargo.lock");
  const log = path.join(clone, "log");
  for (const name of ["toolchain", "build", "assets"])
    program(path.join(clone, `scripts/${name}.sh`), `echo "${name} $*" >>"$LOG"`);
  program(path.join(clone, "scripts/dist.sh"), DIST);
  program(
    path.join(clone, "node_modules/.bin/wrangler"),
    'case $* in "secret list"*) echo \'"JWT_SECRET" "SECRETS_KEY"\' ;; *) echo "wrangler $*" >>"$LOG" ;; esac',
  );
  appendFileSync(path.join(clone, "wrangler.toml"), 'database_id = "one"\n');
  writeFileSync(log, "");
  for (const name of ["first", "second"]) {
    keys[name] = path.join(clone, `${name}.key`);
    writeFileSync(keys[name], makeKey());
  }
  env = { PATH: machineWith({}), HOME: clone, LOG: log };
});

/** What a deploy did, without what it always does. */
function deploy(key) {
  writeFileSync(env.LOG, "");
  const result = spawnSync("bash", ["scripts/deploy.sh"], {
    cwd: clone,
    env: { ...env, ...(key && { VSAY_SIGNING_KEY: key }) },
    encoding: "utf8",
  });
  return {
    ...result,
    made: readFileSync(env.LOG, "utf8").includes("dist\n"),
    done: readFileSync(env.LOG, "utf8").includes("wrangler deploy\n"),
  };
}

const publicKey = () => readFileSync(path.join(clone, "dist/vsay.pub"), "utf8");
const publicKeyOf = (key) => readKey(readFileSync(key, "utf8")).publicKey;

test("the first deploy makes the programs, and the next one uses them", () => {
  const first = deploy(keys.first);
  assert.equal(first.status, 0, first.stderr);
  assert.deepEqual([first.made, first.done], [true, true]);
  const second = deploy(keys.first);
  assert.deepEqual([second.status, second.made, second.done], [0, false, true]);
  assert.equal(publicKey(), publicKeyOf(keys.first));
});

test("with another key they are signed anew", () => {
  const { status, made, done, stderr } = deploy(keys.second);
  assert.deepEqual([status, made, done], [0, true, true], stderr);
  assert.equal(publicKey(), publicKeyOf(keys.second));
});

test("where no key is named, those stay that were signed before", () => {
  const { status, made, done, stderr } = deploy();
  assert.deepEqual([status, made, done], [0, false, true], stderr);
  assert.equal(publicKey(), publicKeyOf(keys.second));
});

test("with changed sources they are made anew", () => {
  appendFileSync(path.join(clone, "agent/src/main.rs"), "// changed\n");
  assert.deepEqual([deploy(keys.second).made, deploy(keys.second).made], [true, false]);
});

test("a key that is not there is said before anything is made", () => {
  const { status, made, done, stderr } = deploy(path.join(clone, "no.key"));
  assert.notEqual(status, 0);
  assert.match(stderr, /nothing was signed: .*no\.key/);
  assert.deepEqual([made, done], [false, false]);
  rmSync(path.join(clone, "dist"), { recursive: true });
  const without = deploy();
  assert.deepEqual([without.made, without.done], [true, false]);
  assert.match(without.stderr, /a key is wanted/);
  assert.ok(!existsSync(path.join(clone, "dist/vsay.pub")));
});
