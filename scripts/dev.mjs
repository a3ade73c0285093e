// The whole product on this machine: `make dev`. Settings come from the environment: PORT, STATE, DEMO, SYSTEM_ROOT, and any
// setting or rate limit of wrangler.toml. Everything it starts ends with it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { ensureAccount } from "./lib/account.mjs";
import { startAgent } from "./lib/agent.mjs";
import { box } from "./lib/box.mjs";
import { ROOT } from "./lib/config.mjs";

const state = path.resolve(ROOT, process.env.STATE || ".state");
const port = process.env.PORT || "8787";
const demo = process.env.DEMO !== "0";
const agentProgram = path.resolve(ROOT, process.env.VSAY_AGENT_BIN || "build/bin/vsay-agent");

let edge;
/** The demo, which may still be starting. */
let demoStarts;
const stopping = new AbortController();
let ending;

/** Starts scripts/edge.mjs and waits until it answers. */
async function startEdge() {
  // Webhooks may lead to programs on this computer.
  const env = { WEBHOOK_PRIVATE_ADDRESSES: "true", ...process.env };
  const runner = spawn(
    process.execPath,
    [path.join(import.meta.dirname, "edge.mjs"), "--state", state, "--port", port, "--stdin-lifeline"],
    // In a process group of its own, Ctrl-C does not reach the runtime before the agent has said goodbye. It cannot outlive
    // us: it ends when its stdin does.
    { detached: true, stdio: ["pipe", "pipe", "inherit"], env },
  );
  const ended = once(runner, "exit");
  const stop = async () => {
    runner.stdin.end();
    await ended;
  };
  edge = { stop };
  const line = await Promise.race([once(createInterface({ input: runner.stdout }), "line"), ended.then(() => undefined)]);
  if (line === undefined) throw new Error("the edge did not start; the line above says why");
  ended.then(() => ending ?? fail(new Error("the edge ended by itself")));
  edge = { stop, url: JSON.parse(line[0]).url };
}

async function startDemo() {
  const account = await ensureAccount({ url: edge.url, state });
  const login = [
    ["Sign in as", `${account.username} (${account.email})`],
    ["Password", account.token ? account.password : "the one you changed it to"],
  ];
  if (process.platform !== "linux") return { login: [...login, ["Machine", "none yet: the agent runs on Linux only"]] };
  // For tests: shells of an account that only a folder's etc/passwd describes, so that nobody's start-up files run.
  const systemRoot = process.env.SYSTEM_ROOT || undefined;
  const { url } = edge;
  const options = { url, state, program: agentProgram, token: account.token, systemRoot, signal: stopping.signal };
  const agent = await startAgent(options);
  agent.ended.then((code) => ending ?? fail(new Error(`the agent ended by itself (status ${code}); its log: ${agent.log}`)));
  return { login: [...login, ["Machine", `${agent.name}, this computer`]], agent };
}

/** Ends what was started, the agent first so that it says goodbye; repeated calls wait for the first. */
function end(status) {
  ending ??= (async () => {
    stopping.abort();
    const { agent } = (await demoStarts?.catch(() => {})) ?? {};
    await agent?.stop();
    await edge?.stop();
    process.exit(status);
  })();
  return ending;
}

function fail(error) {
  process.stderr.write(`\nerror: ${error.message}\n`);
  return end(1);
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => end(0));
try {
  await startEdge();
  demoStarts = demo
    ? startDemo()
    : Promise.resolve({ login: [["Sign in as", "nobody yet: that page makes the first account"]] });
  const { login } = await demoStarts;
  const data = state.startsWith(ROOT + path.sep) ? path.relative(ROOT, state) : state;
  const rows = [["Open", edge.url], ...login, ["Data", data], ["To stop", "Ctrl-C ends everything"]];
  process.stdout.write(box("VSAY Edge is running", rows));
} catch (error) {
  // What is stopped while it starts does not start.
  if (!ending) fail(error);
}
