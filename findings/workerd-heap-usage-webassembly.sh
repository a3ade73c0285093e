#!/usr/bin/env bash
# EXPECTED: `Runtime.getHeapUsage` of the inspector says in `backingStorageSize` how much the buffers of an isolate hold, as V8 has it, and
#   `WebAssembly.Memory` is such a buffer: `memory.buffer` is an ArrayBuffer. The two together say what an isolate has of its 128 MB.
# SEEN: in workerd 1.20261117.1 an ArrayBuffer of 32 MiB is counted, and a WebAssembly.Memory of 32 MiB, written to and held, is not: a
#   Worker in Rust, all of whose own memory is that, looks as if it held nothing.
# HERE: scripts/lib/heap.mjs asks for the memory's length besides, by `Runtime.queryObjects`; bench/README.md says both.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-save --no-audit --no-fund miniflare@5.20261117.0-beta ws@8.20.0
cat >look.mjs <<'JS'
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { WebSocket } from "ws";

const script = `
  const held = {};
  export default {
    fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === "/buffer") held.buffer = new ArrayBuffer(32 * 1024 * 1024);
      if (pathname === "/memory") held.memory = new WebAssembly.Memory({ initial: 512 });
      const buffer = held.memory?.buffer ?? held.buffer;
      new Uint8Array(buffer).fill(7);
      return new Response(String(buffer.byteLength));
    },
  };`;
const modules = [{ type: "ESModule", path: "worker.mjs", contents: script }];
const options = { name: "edge", modules, modulesRoot: "/", compatibilityDate: "2026-10-20", inspectorPort: 0 };
const edge = new Miniflare(convertV4MiniflareOptions(options));
await edge.ready;
const inspector = new WebSocket(new URL("/core:user:edge", await edge.getInspectorURL()));
await new Promise((resolve, reject) => inspector.once("open", resolve).once("error", reject));
async function megabytes() {
  inspector.send(JSON.stringify({ id: 1, method: "Runtime.getHeapUsage" }));
  const [message] = await new Promise((resolve) => inspector.once("message", (...all) => resolve(all)));
  return Math.round(JSON.parse(message).result.backingStorageSize / 1024 / 1024);
}
const seen = [await megabytes()];
for (const path of ["/buffer", "/memory"]) {
  const length = Number(await (await edge.dispatchFetch(`http://edge${path}`)).text());
  if (length !== 32 * 1024 * 1024) throw new Error(`${path} holds ${length} bytes`);
  seen.push(await megabytes());
}
console.log(`at first ${seen[0]}, with an ArrayBuffer ${seen[1]}, with a WebAssembly.Memory besides ${seen[2]}`);
inspector.close();
await edge.dispose();
JS
echo "miniflare $(node -p 'require("./node_modules/miniflare/package.json").version'), workerd $(node -p 'require("./node_modules/workerd/package.json").version')"
seen=$(node look.mjs)
echo "backingStorageSize in MiB: $seen"
[ "$seen" = "at first 0, with an ArrayBuffer 32, with a WebAssembly.Memory besides 32" ] || {
  echo "it has changed"
  exit 1
}
