// What the edge hands out, and what it answers where there is nothing.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { ROOT } from "../../scripts/lib/config.mjs";
import { Edge } from "./edge.mjs";

let edge;

before(async () => {
  edge = await Edge.start();
});

after(() => edge?.stop());

test("programs are served with their checksums and signatures, and asked for again cheaply", async () => {
  for (const folder of ["agent/download", "cli/download"]) {
    const names = await readdir(path.join(ROOT, "build/assets", folder));
    const archive = names.find((name) => name.endsWith(".tar.gz"));
    assert.ok(archive && names.includes(`${archive}.sha256`) && names.includes(`${archive}.minisig`), names.join(" "));
    assert.ok(names.includes("vsay.pub"));
    const url = `${edge.url}/${folder}/${archive}`;
    const answer = await fetch(url);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
    assert.equal(answer.headers.get("cache-control"), "no-cache");
    assert.match(answer.headers.get("content-type"), /gzip|octet-stream/);
    const bytes = Buffer.from(await answer.arrayBuffer());
    const sum = await (await fetch(`${url}.sha256`)).text();
    assert.equal(sum, `${createHash("sha256").update(bytes).digest("hex")}  ${archive}\n`);
    const again = await fetch(url, { headers: { "if-none-match": answer.headers.get("etag") } });
    assert.equal(again.status, 304);
  }
});

test("what is not there is answered in words, and is never another file", async () => {
  const ask = async (path) => {
    const answer = await fetch(edge.url + path);
    return [answer.status, await answer.json()];
  };
  const absent = (name, more = "") => ({
    error: `package not found: ${name}`,
    detail: `package not found: ${name}${more}`,
    code: "not_found",
  });
  assert.deepEqual(await ask("/agent/download/vsay-agent-riscv64.tar.gz"), [404, absent("vsay-agent-riscv64.tar.gz")]);
  assert.deepEqual(await ask("/cli/download/vsay-plan9.zip"), [404, absent("vsay-plan9.zip")]);
  const [status, { detail }] = await ask("/agent/download/vsay-agent-arm64.dmg");
  assert.equal(status, 404);
  assert.match(detail, /The agent is for Linux: vsay-agent-x86_64.tar.gz/);
  for (const name of ["..%2f..%2findex.html", "a%20b", "%2e%2e%5cx", `${"x".repeat(101)}`]) {
    const [status, body] = await ask(`/agent/download/${name}`);
    assert.deepEqual([status, body.error], [400, "invalid filename"], name);
  }
  for (const path of ["/agent/else", "/agent/download/", "/cli/else"]) assert.equal((await ask(path))[0], 404, path);
});

test("the installer knows the edge, its checksums and its key", async () => {
  const answer = await fetch(`${edge.url}/install.sh`);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("content-type"), "text/plain; charset=utf-8");
  const script = await answer.text();
  assert.ok(script.startsWith("#!/bin/sh\n") && script.endsWith('\n{ main "$@"; }\n'));
  assert.ok(script.includes(`\nEDGE='${edge.url}'\n`));
  assert.doesNotMatch(script, /@[A-Z_]+@/);
  const key = (await (await fetch(`${edge.url}/agent/download/vsay.pub`)).text()).split("\n")[1];
  assert.ok(script.includes(`\nPUBLIC_KEY='${key}'\n`));
  assert.match(
    script,
    /^CHECKSUMS='[0-9a-f]{64} {2}vsay-agent-\w+\.tar\.gz$|^CHECKSUMS='[0-9a-f]{64} {2}vsay-agent-\w+\.tar\.gz'$/m,
  );
  const head = await fetch(`${edge.url}/install.sh`, { method: "HEAD" });
  assert.equal(head.status, 200);
});
