// The whole edge on this machine: workerd with the Worker, its Durable Objects, D1 and R2, started through Miniflare. There
// is no development proxy in front of it, so what is measured here is the runtime itself.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { loadConfig } from "./config.mjs";
import { lock } from "./lock.mjs";
import { EdgeLog, say } from "./log.mjs";
import { migrate } from "./migrate.mjs";
import { loadSecrets } from "./secrets.mjs";

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
  const secrets = await loadSecrets(state);
  const miniflare = quietly(
    convertV4MiniflareOptions({
      host,
      port,
      log: new EdgeLog(path.join(state, "mail")),
      logRequests: false,
      handleStructuredLogs: ({ level, message }) => say(`worker ${level}`, message),
      // Made-up facts about the request's origin would need the network.
      cf: false,
      telemetry: { enabled: false },
      resourcePersistencePath: path.join(state, "data"),
      ...workerOptions(config, secrets),
    }),
  );
  try {
    const url = (await miniflare.ready).origin;
    await migrate(miniflare, config.migrations);
    return {
      url,
      workerdPid: workerdPid(),
      /** Drops a Durable Object from memory, as the platform does with an idle one. `webSockets`: `hibernate` or `close`. */
      evict: (className, name, webSockets = "hibernate") =>
        miniflare.unsafeEvictDurableObject(config.name, className, { name, webSockets }),
      stop: async () => {
        await miniflare.dispose();
        await unlock();
      },
    };
  } catch (error) {
    await miniflare.dispose().catch(() => {});
    await unlock();
    if (error.code === "ERR_ADDRESS_IN_USE") {
      throw new Error(`port ${port} is in use; choose another one, such as PORT=${port + 1}`, { cause: error });
    }
    throw error;
  }
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

function workerOptions(config, secrets) {
  const worker = structuredClone(config.worker);
  const settings = Object.keys(worker.bindings);
  Object.assign(worker.bindings, secrets);
  for (const name of settings) worker.bindings[name] = process.env[name] ?? worker.bindings[name];
  for (const [name, { simple }] of Object.entries(worker.ratelimits)) simple.limit = limitFromEnvironment(name, simple.limit);
  if (!existsSync(worker.assets.directory)) {
    say("edge", `no browser console: ${worker.assets.directory} is not built`);
    delete worker.assets;
  }
  return { ...worker, modules: modules(config.main), modulesRoot: path.dirname(config.main) };
}

/** The entry module first, then the WebAssembly beside it. */
function modules(main) {
  const folder = path.dirname(main);
  const wasm = readdirSync(folder).filter((name) => name.endsWith(".wasm"));
  return [
    { type: "ESModule", path: main },
    ...wasm.map((name) => ({ type: "CompiledWasm", path: path.join(folder, name) })),
  ];
}

function limitFromEnvironment(name, standard) {
  const given = process.env[name];
  if (given === undefined || given === "") return standard;
  const limit = Number(given);
  if (!Number.isInteger(limit) || limit < 1) throw new Error(`${name} must be a whole number, at least 1: attempts per minute`);
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
