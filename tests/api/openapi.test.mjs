// Sends the API requests of every kind that its document allows, and of kinds that it does not, and compares each answer with the
// document, with all checks of schemathesis. Requests are about real things (`world.py`), and every operation succeeds at least
// once. The cases come from a fixed seed, so that a failure comes again.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startAgent } from "../../scripts/lib/agent.mjs";
import { call } from "../../scripts/lib/api.mjs";
import { startEdge } from "../../scripts/lib/edge.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const HERE = import.meta.dirname;
const SCHEMATHESIS = path.join(ROOT, ".tools/python/bin/schemathesis");
const AGENT = process.env.VSAY_AGENT_BIN ?? path.join(ROOT, "build/bin/vsay-agent");

// How many terminals are open when it begins. Requests close them.
const SESSIONS = 8;

// How long it may take until the edge knows of a service. That is about a second; the rest is for a busy computer.
const TOLD_WITHIN_MS = 30_000;

// What upgrades to a WebSocket answers 101, which only a client of WebSocket can ask for; tests/e2e/terminals/ does. Providers of one
// organization are refused in words.
const NEVER = [
  "GET /agent/connect",
  "GET /api/instances/ssh/{hostname}",
  "GET /api/inventory/server/ssh/{hostname}",
  "GET /api/inventory/server/{object_id}/ssh",
  "GET /api/inventory/ws/{object_id}/action",
  "GET /api/jobs/ws/{job_id}",
  "GET /api/live",
  "GET /api/recordings/{recording_id}/live",
  "GET /api/shares/{share_id}/ws",
  "GET /api/terminal/{agent_id}/ws",
  "PUT /v1/organizations/{organization_id}/oidc",
  "GET /v1/sessions/{session_id}/ws",
];

let state;
let edge;
let agent;
const ending = [];

before(async () => {
  state = await mkdtemp(path.join(os.tmpdir(), "vsay-api-"));
  for (const limit of [
    "CREDENTIALS_BY_ADDRESS",
    "CREDENTIALS_BY_ACCOUNT",
    "LETTERS_BY_RECIPIENT",
    "RENEWALS_BY_ACCOUNT",
    "V1_REQUESTS",
  ]) {
    process.env[limit] = "1000000";
  }
  // Nothing of these tests is posted elsewhere.
  process.env.WEBHOOK_PRIVATE_ADDRESSES = "true";
  // Terminals that nobody looks at stay until the end, however slow the machine is.
  process.env.PUBLISHED_KEEP_SECONDS = "3600";
  // Nothing answers there: the edge reaches no provider.
  process.env.VULTR_API_URL = "http://127.0.0.1:9";
  const [issuer, fake] = await Promise.all([provider("issuer.mjs"), provider("issuer-fake.mjs")]);
  Object.assign(process.env, {
    ...{ MICROSOFT_CLIENT_ID: "edge", MICROSOFT_CLIENT_SECRET: "hunter2", MICROSOFT_AUTHORITY: fake.url },
    ...{ GITHUB_CLIENT_ID: "edge", GITHUB_CLIENT_SECRET: "hunter2", GITHUB_BASE_URL: fake.url, GITHUB_API_URL: fake.url },
    METRICS_TOKEN: randomBytes(32).toString("hex"),
    ...{ OIDC_CLIENT_ID: "edge", OIDC_CLIENT_SECRET: "s: %+", OIDC_ISSUER: issuer.url, OIDC_NAME: "Acme" },
  });
  edge = await startEdge({ host: "127.0.0.1", port: 0, state });
  await issuer.tell(`${edge.url}/api/auth/oidc/sso/callback`);
});

after(async () => {
  await agent?.stop();
  await edge?.stop();
  for (const end of ending) end();
  await rm(state, { recursive: true, force: true });
});

/** Starts a provider to sign in with. It ends with its stdin. */
async function provider(script) {
  const node = spawn(process.execPath, [path.join(ROOT, "tests/support", script)], { stdio: ["pipe", "pipe", "inherit"] });
  ending.push(() => node.stdin.end());
  const lines = createInterface({ input: node.stdout });
  const { url } = JSON.parse((await once(lines, "line"))[0]);
  const tell = async (line) => {
    const understood = once(lines, "line");
    node.stdin.write(`${line}\n`);
    await understood;
  };
  return { url, tell };
}

/** Opens a terminal, which stays when its socket is closed, and gives its name. */
async function openTerminal(machine, token, name) {
  const url = `${edge.url.replace("http", "ws")}/api/terminal/${machine.agent_id}/ws?token=${token}&session_id=${name}`;
  const socket = new WebSocket(url);
  // Its first frame says that there is a shell.
  await Promise.race([
    once(socket, "message"),
    once(socket, "close").then(([event]) => assert.fail(`closed: ${event.code} ${event.reason}`)),
  ]);
  socket.close();
  return name;
}

/** Somebody who may do everything, with a machine whose agent runs and terminals on it; where `world.py` finds them. */
async function populate() {
  const setup = { username: "root_of_all", password: randomBytes(16).toString("hex") };
  const { access_token: token, user } = await call(edge.url, "POST", "/api/auth/setup", { body: setup });
  // A key: signing out, which is among the operations, does not end it.
  const body = { name: "schemathesis", scope: "people:admin" };
  const { key } = await call(edge.url, "POST", "/api/api-keys", { token, body });
  const services = path.join(state, "services");
  await mkdir(path.join(services, "web"), { recursive: true });
  await writeFile(path.join(services, "web/deploy.sh"), "");
  await mkdir(path.join(services, "web/outputs"));
  await writeFile(path.join(services, "web/outputs/temp_inventory.yaml"), "all: {hosts: {web: {}}}\n");
  await mkdir(path.join(services, "waits"));
  await writeFile(path.join(services, "waits/deploy.sh"), "sleep 600");
  await writeFile(path.join(services, "web/config.yaml"), "");
  agent = await startAgent({ url: edge.url, state, program: AGENT, token, services });
  const { machines } = await call(edge.url, "GET", "/api/machines", { token });
  const machine = machines.find(({ name }) => name === agent.name);
  const names = Array.from({ length: SESSIONS }, (_, number) => `terminal-${number}`);
  const sessions = await Promise.all(names.map((name) => openTerminal(machine, token, name)));
  const { organization } = await call(edge.url, "GET", "/api/organization", { token });
  const needed = {
    user_id: [user.id, String(user.int_id)],
    organization_id: [organization.id, organization.name],
    agent_id: [machine.agent_id],
    machine_id: [machine.id],
  };
  const world = { url: edge.url, mail: path.join(state, "mail"), key, token, machine, sessions, needed };
  await toldOf("web", token);
  const file = path.join(state, "world.json");
  await writeFile(file, JSON.stringify(world));
  return file;
}

/** Waits until the edge knows of a service. */
async function toldOf(name, token) {
  const deadline = Date.now() + TOLD_WITHIN_MS;
  for (;;) {
    const { services } = await call(edge.url, "GET", "/api/services", { token });
    if (services.some((service) => service.name === name)) return;
    assert.ok(Date.now() < deadline, `the edge was not told of ${name}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Runs a program and gives its status and all it wrote. */
function run(program, args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: state, env: { ...process.env, NO_COLOR: "1", ...env } });
    let output = "";
    child.stdout.on("data", (data) => (output += data));
    child.stderr.on("data", (data) => (output += data));
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, output }));
  });
}

/** The operations of the document that nothing answered as it says of a success. */
async function neverDone(answers) {
  const { paths } = await call(edge.url, "GET", "/openapi.json");
  const operations = Object.entries(paths).flatMap(([route, item]) =>
    Object.entries(item).map(([method, operation]) => [`${method.toUpperCase()} ${route}`, operation]),
  );
  const isDone = ([name, { responses }]) =>
    Object.keys(answers[name] ?? {}).some((status) => /^[23]/.test(status) && status in responses);
  return operations.filter((operation) => !isDone(operation)).map(([name]) => name);
}

test("every answer is as the document says, however strange the request", async (t) => {
  const world = await populate();
  const told = path.join(state, "answers.json");
  const { status, output } = await run(
    SCHEMATHESIS,
    ["--config-file", path.join(HERE, "schemathesis.toml"), "run", `${edge.url}/openapi.json`],
    { API_WORLD: world, API_ANSWERS: told, SCHEMATHESIS_HOOKS: path.join(HERE, "hooks.py") },
  );
  if (process.env.API_OUTPUT) await writeFile(process.env.API_OUTPUT, output);
  const { answers, accepted } = JSON.parse(await readFile(told, "utf8"));
  if (process.env.API_OUTPUT) await writeFile(`${process.env.API_OUTPUT}.json`, JSON.stringify({ answers, accepted }));
  assert.equal(status, 0, output);
  // The first account is made once, in the beginning.
  assert.deepEqual(await neverDone({ ...answers, "POST /api/auth/setup": { 200: 1 } }), NEVER, "never succeeded");
  for (const [reason, times] of Object.entries(accepted)) t.diagnostic(`accepted ${times} times: ${reason}`);
});
