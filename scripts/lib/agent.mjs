// The agent for this very machine: enrolled once per state folder, and again when the edge's address changed.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, open, readdir, readFile, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { call } from "./api.mjs";

/** How long this machine may take to appear online. It needs one connection; the rest is for a busy computer. */
const ONLINE_WITHIN_MS = 30_000;
const POLL_MS = 50;
/** How long the agent may take to end its shells before it is made to. */
const STOP_WITHIN_MS = 5_000;

/**
 * Starts an agent for this machine and waits until it is online. If that fails, nothing runs that was started.
 *
 * @param {{ url: string, state: string, program: string, token?: string, systemRoot?: string, services?: string, signal?: AbortSignal }} options
 *   `program` is the agent's path; `token` is that of a person who may enrol machines, needed unless this one is enrolled;
 *   `systemRoot` is the folder whose etc/passwd and other files shells go by, in place of this machine's own; `services`
 *   is the folder of its services, if it is to have any; `signal` gives the start up
 * @returns {Promise<{ name: string, log: string, ended: Promise<number | null>, stop: () => Promise<void> }>}
 */
export async function startAgent({ url, state, program, token, systemRoot, services, signal }) {
  const folder = path.join(state, "agent");
  const config = path.join(folder, "agent.yaml");
  const log = path.join(folder, "agent.log");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const output = await open(log, "a");
  // What it says goes to a file, where colours would be noise; its shells get an environment of their own.
  const run = (args, env) =>
    spawn(program, args, { stdio: ["ignore", output.fd, output.fd], env: { ...process.env, NO_COLOR: "1", ...env } });
  try {
    await endLeftOver(config);
    const machine = await enrol({ url, folder, config, token, services, run, signal });
    const agent = run(["start", "--config", config, ...(systemRoot ? ["--system-root", systemRoot] : [])]);
    const ended = once(agent, "exit").then(([code]) => code);
    const stop = async () => {
      const patience = setTimeout(() => agent.kill("SIGKILL"), STOP_WITHIN_MS);
      agent.kill("SIGTERM");
      await ended;
      clearTimeout(patience);
    };
    try {
      const online =
        token === undefined || (await Promise.race([isOnline(url, token, machine, signal), ended.then(() => false)]));
      if (!online) throw new Error(`the agent did not come online; its log: ${log}`);
    } catch (error) {
      await stop();
      throw error;
    }
    return { name: machine.name, log, ended, stop };
  } finally {
    await output.close();
  }
}

/** Ends an agent that outlived whoever started it here, such as a `make dev` that was killed: of one configuration there is one. */
export async function endLeftOver(config) {
  for (const pid of await readdir("/proc").catch(() => [])) {
    const args = await argumentsOf(pid);
    if (!args.includes("start") || args[args.indexOf("--config") + 1] !== config) continue;
    const patience = Date.now() + STOP_WITHIN_MS;
    // One that nobody waits for has no arguments any more.
    for (let signal = "SIGTERM"; (await argumentsOf(pid)).length > 0; signal = Date.now() > patience ? "SIGKILL" : 0) {
      try {
        process.kill(Number(pid), signal);
      } catch (error) {
        if (error.code !== "ESRCH") throw error;
      }
      await sleep(POLL_MS);
    }
  }
}

async function argumentsOf(pid) {
  const text = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return text.split("\0").slice(0, -1);
}

async function enrol({ url, folder, config, token, services, run, signal }) {
  const record = path.join(folder, "machine.json");
  const before = await readFile(record, "utf8").then(JSON.parse, () => undefined);
  const enrolled = before?.url === url && existsSync(config);
  if (token === undefined) {
    if (enrolled) return before;
    throw new Error("this machine cannot be enrolled: the demo account has another password by now. DEMO=0 starts without");
  }
  const name = os.hostname();
  const { machines } = await call(url, "GET", "/api/machines", { token });
  const known =
    machines.find((machine) => machine.agent_id === before?.agent_id) ?? machines.find((machine) => machine.name === name);
  if (known && known.agent_id === before?.agent_id && enrolled) return before;

  const { registration_token, agent_id } = known
    ? {
        ...(await call(url, "POST", `/api/machines/${known.agent_id}/registration-token`, { token })),
        agent_id: known.agent_id,
      }
    : await call(url, "POST", "/api/machines", { token, body: { name, description: "This computer", allow_sudo: true } });
  signal?.throwIfAborted();
  // In a shell on one's own computer, sudo works as it always does.
  const configure = run(
    [
      ...["configure", "--host", url, "--config", config, "--name", name],
      ...["--linux-user", os.userInfo().username, "--allow-sudo", "--no-service"],
      ...(services ? ["--services", services] : []),
    ],
    // Not as an argument, which every process could read.
    { VSAY_TOKEN: registration_token },
  );
  // It takes back what it did when it is interrupted.
  const interrupt = () => configure.kill("SIGINT");
  signal?.addEventListener("abort", interrupt);
  const [code] = await once(configure, "exit");
  signal?.removeEventListener("abort", interrupt);
  if (code !== 0) throw new Error(`this machine could not be enrolled; see ${path.join(folder, "agent.log")}`);
  const machine = { url, agent_id, name: known?.name ?? name };
  await writeFile(record, `${JSON.stringify(machine, null, 2)}\n`);
  return machine;
}

async function isOnline(url, token, machine, signal) {
  const deadline = Date.now() + ONLINE_WITHIN_MS;
  while (Date.now() < deadline) {
    signal?.throwIfAborted();
    const { status } = await call(url, "GET", `/api/machines/${machine.agent_id}`, { token });
    if (status === "online") return true;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return false;
}
