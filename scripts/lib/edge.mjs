// The whole edge on this machine: workerd with the Worker, its Durable Objects, D1 and R2, started through Miniflare. There
// is no development proxy in front of it, so what is measured here is the runtime itself.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { loadConfig } from "./config.mjs";
import { prepareDatabase } from "./database.mjs";
import { Heap } from "./heap.mjs";
import { lock } from "./lock.mjs";
import { EdgeLog, say } from "./log.mjs";
import { freePort } from "./port.mjs";
import { loadSecrets } from "./secrets.mjs";
import { slowBucket } from "./slow-bucket.mjs";

/** How often a free port may be snatched away before the start is given up. */
const PORT_ATTEMPTS = 5;

/** The platform's shortest schedule, which is ours. */
const CRON_MILLISECONDS = 60_000;

/**
 * Starts the edge and returns when it answers.
 *
 * @param {{ host: string, port: number, state: string }} where `port` 0 takes a free one; `state` is the folder that keeps
 *   all data and is made if missing
 */
export async function startEdge({ host, port, state }) {
  const config = await loadConfig();
  if (!existsSync(config.main)) throw new Error(`the Worker is not built (${config.main}); run: make build`);
  await mkdir(state, { recursive: true });
  const unlock = await lock(state);
  let miniflare;
  try {
    const secrets = await loadSecrets(state);
    const data = path.join(state, "data");
    await prepareDatabase(data, config.migrations, () => startDatabase(data, config));
    miniflare = await startMiniflare({ host, port, state, config, secrets });
    const url = (await miniflare.ready).origin;
    /** Runs the scheduled work as if it were `time`. */
    const scheduled = async (time = new Date()) =>
      (await miniflare.getWorker()).scheduled({ scheduledTime: time, cron: config.cron });
    let heap;
    const clock = setInterval(() => scheduled().catch((error) => say("schedule", error.message)), CRON_MILLISECONDS);
    return {
      url,
      workerdPid: workerdPid(),
      scheduled,
      /** Runs a statement on the database, past the Worker. */
      sql: async (statement) => (await (await miniflare.getD1Database("DB")).prepare(statement).all()).results,
      /** What the Worker and its Durable Objects hold in memory, where INSPECT is set. */
      heap: async () => {
        heap ??= Heap.open(await miniflare.getInspectorURL(), config.name);
        return heap;
      },
      /** Drops a Durable Object from memory, as the platform does with an idle one. `webSockets`: `hibernate` or `close`. */
      evict: (className, name, webSockets = "hibernate") =>
        miniflare.unsafeEvictDurableObject(config.name, className, { name, webSockets }),
      stop: async () => {
        clearInterval(clock);
        await miniflare.dispose();
        await unlock();
      },
    };
  } catch (error) {
    await miniflare?.dispose().catch(() => {});
    await unlock();
    throw error;
  }
}

/** Miniflare, ready. The Worker is told its address, so a free port is chosen before anybody listens on it. */
async function startMiniflare({ host, port, state, config, secrets }) {
  for (let attempt = 1; ; attempt++) {
    const chosen = port === 0 ? await freePort(host) : port;
    const miniflare = quietly(
      convertV4MiniflareOptions({
        host,
        port: chosen,
        log: new EdgeLog(path.join(state, "mail")),
        logRequests: false,
        handleStructuredLogs: ({ level, message }) => say(`worker ${level}`, message),
        // Made-up facts about the request's origin would need the network.
        cf: false,
        telemetry: { enabled: false },
        ...(process.env.INSPECT ? { inspectorPort: 0 } : {}),
        resourcePersistencePath: path.join(state, "data"),
        ...workerOptions(config, secrets, address(host, chosen)),
      }),
    );
    try {
      await miniflare.ready;
      return miniflare;
    } catch (error) {
      await miniflare.dispose().catch(() => {});
      if (error.code !== "ERR_ADDRESS_IN_USE") throw error;
      if (port !== 0)
        throw new Error(`port ${port} is in use; choose another one, such as PORT=${port + 1}`, { cause: error });
      if (attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

/** The database alone, behind a port that nobody knows and a Worker that answers nothing. */
async function startDatabase(data, { name, worker }) {
  const contents = "export default { fetch: () => new Response(null, { status: 503 }) }";
  const miniflare = quietly(
    convertV4MiniflareOptions({
      name,
      compatibilityDate: worker.compatibilityDate,
      modules: [{ type: "ESModule", path: "none.mjs", contents }],
      modulesRoot: "/",
      d1Databases: worker.d1Databases,
      cf: false,
      telemetry: { enabled: false },
      resourcePersistencePath: data,
    }),
  );
  await miniflare.ready;
  return miniflare;
}

/** What a browser on this machine calls it. */
function address(host, port) {
  const any = ["0.0.0.0", "::", "*"].includes(host);
  return `http://${any ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Miniflare without its signal handlers, which end this process before it could end the agent and free the state folder. */
function quietly(options) {
  const signals = ["SIGINT", "SIGTERM"];
  const ours = new Set(signals.flatMap((signal) => process.listeners(signal)));
  const miniflare = new Miniflare(options);
  for (const signal of signals) {
    for (const listener of process.listeners(signal)) if (!ours.has(listener)) process.off(signal, listener);
  }
  return miniflare;
}

function workerOptions(config, secrets, url) {
  const worker = structuredClone(config.worker);
  const settings = Object.keys(worker.bindings);
  Object.assign(worker.bindings, secrets);
  // Here, links lead here, and mail becomes files.
  Object.assign(worker.bindings, { BASE_URL: url, MAIL_TRANSPORT: "binding", MAIL_FROM: "VSAY Edge <edge@example.com>" });
  for (const name of settings) worker.bindings[name] = process.env[name] ?? worker.bindings[name];
  worker.bindings.BASE_URL ||= url;
  for (const [name, { simple }] of Object.entries(worker.ratelimits))
    simple.limit = limitFromEnvironment(name, simple.limit);
  if (!existsSync(worker.assets.directory)) {
    say("edge", `no browser console: ${worker.assets.directory} is not built`);
    delete worker.assets;
  }
  return {
    ...worker,
    routes: routesPastAssets(worker.assets),
    modules: modules(config.main),
    modulesRoot: path.dirname(config.main),
  };
}

/**
 * The paths that are the Worker's before they are files', as routes, which lead straight to it. Otherwise Miniflare asks two
 * Workers of its own before ours, for each request, as much as a small request costs altogether. Cloudflare's network has
 * that in its own servers.
 */
function routesPastAssets(assets) {
  return assets?.run_worker_first.map((path) => `*${path}`) ?? [];
}

/**
 * The entry module first, then the WebAssembly beside it. BUCKET_DELAY_MS makes puts into the bucket wait, for benchmarks;
 * BUCKET_REFUSES makes them fail, for tests.
 */
function modules(main) {
  const folder = path.dirname(main);
  const wasm = readdirSync(folder).filter((name) => name.endsWith(".wasm"));
  const own = { type: "ESModule", path: main };
  const { BUCKET_DELAY_MS: delay, BUCKET_REFUSES: refuses } = process.env;
  const contents = slowBucket(delay ?? 0, Boolean(refuses));
  const slow = { type: "ESModule", path: path.join(folder, "slow-bucket.js"), contents };
  return [
    ...(delay || refuses ? [slow] : []),
    own,
    ...wasm.map((name) => ({ type: "CompiledWasm", path: path.join(folder, name) })),
  ];
}

function limitFromEnvironment(name, standard) {
  const given = process.env[name];
  if (given === undefined || given === "") return standard;
  const limit = Number(given);
  if (!Number.isInteger(limit) || limit < 1)
    throw new Error(`${name} must be a whole number, at least 1: attempts per minute`);
  return limit;
}

/** The process id of the runtime: the only child this process has of that name. */
function workerdPid() {
  if (process.platform !== "linux") {
    return Number(execFileSync("pgrep", ["-P", String(process.pid), "workerd"], { encoding: "utf8" }));
  }
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "utf8").trim().split(" ");
  return Number(children.find((pid) => readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "workerd"));
}
