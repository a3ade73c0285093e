// The entry of the Worker, in the real runtime, around a program that traps when it is told to.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { scratch } from "./machine.mjs";

const ROOT = path.resolve(import.meta.dirname, "../..");

/** A program of one function, `trap`, which does. */
const WASM = Buffer.from("0061736d0100000001040160000003020100070801047472617000000a05010300000b", "hex");

/** What `glue` and the crate `worker` would have made around it. The instance counts what it was asked. */
const COMPILED = `
import program from "./index_bg.wasm";
const state = { criticalError: false, instanceId: 1 };
let instance = new WebAssembly.Instance(program);
let calls = 0;
let ended;
export const __worker_init_state = () => state;
export function __wbg_reset_state() {
  instance = new WebAssembly.Instance(program);
  calls = 0;
  state.instanceId++;
}
function answer(request) {
  calls++;
  const { pathname } = new URL(request.url);
  if (pathname.endsWith("/trap")) instance.exports.trap();
  if (pathname.endsWith("/panic")) { state.criticalError = true; throw new Error("panic"); }
  if (pathname.endsWith("/fail")) throw new Error("an error of no consequence");
  return { instance: state.instanceId, calls };
}
export async function fetch(request, env) {
  if (new URL(request.url).pathname.startsWith("/relay/")) return env.RELAY.get(env.RELAY.idFromName("one")).fetch(request);
  return Response.json(answer(request));
}
export async function scheduled() {
  calls++;
}
export class Relay {
  constructor(state) { this.state = state; this.own = 0; }
  say(text) { this.state.getWebSockets()[0].send(text); }
  hearText(number, text) {
    if (text === "trap") instance.exports.trap();
    this.say(number + " said " + text + " to " + state.instanceId);
    return text === "wait";
  }
  hearBytes(number, bytes) {
    this.say(number + " said " + bytes.byteLength + " bytes");
    return false;
  }
  hearEnd(number, code) {
    ended = number + " ended with " + code;
    return true;
  }
  async goOn() {
    await new Promise((done) => setTimeout(done));
    if (ended === undefined) this.say("went on");
    else ended += " and went on";
  }
  fetch(request) {
    if (request.headers.get("upgrade") !== null) {
      const { 0: client, 1: server } = new WebSocketPair();
      this.state.acceptWebSocket(server, ["7"]);
      return Promise.resolve(new Response(null, { status: 101, webSocket: client }));
    }
    if (new URL(request.url).pathname.endsWith("/ended")) return Promise.resolve(Response.json({ ended }));
    this.own++;
    return Promise.resolve(Response.json({ ...answer(request), own: this.own, id: this.state.id.name ?? "one" }));
  }
}
export class Channel {}
`;

let edge;
before(async () => {
  const folder = scratch("entry");
  writeFileSync(path.join(folder, "index.js"), COMPILED);
  writeFileSync(path.join(folder, "entry.js"), readFileSync(path.join(ROOT, "src/entry.js")));
  const bundle = [
    "--bundle",
    "--format=esm",
    "--external:./index_bg.wasm",
    "--external:cloudflare:*",
    "--outfile=worker.js",
  ];
  execFileSync(path.join(ROOT, "node_modules/.bin/esbuild"), ["entry.js", ...bundle, "--log-level=warning"], {
    cwd: folder,
  });
  edge = new Miniflare(
    convertV4MiniflareOptions({
      modules: [
        { type: "ESModule", path: "worker.js", contents: readFileSync(path.join(folder, "worker.js"), "utf8") },
        { type: "CompiledWasm", path: "index_bg.wasm", contents: WASM },
      ],
      compatibilityDate: "2026-10-20",
      durableObjects: { RELAY: "Relay" },
    }),
  );
});
after(() => edge.dispose());

async function ask(where) {
  const response = await edge.dispatchFetch(`http://edge${where}`);
  return response.ok ? await response.json() : response.status;
}

test("a Worker that has trapped goes on with a new instance, and so does its Durable Object", async () => {
  assert.deepEqual(await ask("/"), { instance: 1, calls: 1 });
  assert.deepEqual(await ask("/relay/"), { instance: 1, calls: 2, own: 1, id: "one" });
  assert.equal(await ask("/relay/trap"), 500);
  assert.deepEqual(await ask("/relay/"), { instance: 2, calls: 1, own: 1, id: "one" });
  assert.deepEqual(await ask("/relay/"), { instance: 2, calls: 2, own: 2, id: "one" });
  assert.equal(await ask("/panic"), 500);
  assert.deepEqual(await ask("/"), { instance: 3, calls: 1 });
  assert.deepEqual(await ask("/relay/"), { instance: 3, calls: 2, own: 1, id: "one" });
});

test("the clock reaches it too", async () => {
  const { calls } = await ask("/");
  const { outcome } = await (await edge.getWorker()).scheduled({ scheduledTime: new Date(), cron: "* * * * *" });
  assert.equal(outcome, "ok");
  assert.equal((await ask("/")).calls, calls + 2);
});

test("an error that is none of the runtime's leaves the instance as it is", async () => {
  const before = await ask("/");
  assert.equal(await ask("/fail"), 500);
  assert.deepEqual(await ask("/"), { instance: before.instance, calls: before.calls + 2 });
});

test("what a socket of the relay says is heard by its number, and waited for where that is asked for", async () => {
  const { webSocket } = await edge.dispatchFetch("http://edge/relay/", { headers: { upgrade: "websocket" } });
  const heard = [];
  let told = () => {};
  webSocket.accept();
  webSocket.addEventListener("message", ({ data }) => {
    heard.push(data);
    told();
  });
  const answers = async (...texts) => {
    while (heard.length < texts.length) await new Promise((done) => (told = done));
    assert.deepEqual(heard.splice(0), texts);
  };
  const { instance } = await ask("/");
  webSocket.send("hello");
  await answers(`7 said hello to ${instance}`);
  webSocket.send(new Uint8Array(300));
  await answers("7 said 300 bytes");
  webSocket.send("wait");
  await answers(`7 said wait to ${instance}`, "went on");
  webSocket.send("trap");
  webSocket.send("again");
  await answers(`7 said again to ${instance + 1}`);
  webSocket.close(4000, "enough");
  let last;
  while (last === undefined || !last.endsWith("went on")) ({ ended: last } = await ask("/relay/ended"));
  assert.equal(last, "7 ended with 4000 and went on");
});
