// The real edge, and somebody between it and a machine who holds back, changes or keeps what passes.
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { ensureAccount } from "../../scripts/lib/account.mjs";
import { call } from "../../scripts/lib/api.mjs";
import { startEdge } from "../../scripts/lib/edge.mjs";

/** For a computer that does other things as well. */
const PATIENCE_MS = 90_000;
/** How often it is looked for what nothing announces. */
const POLL_MS = 50;

export class Edge {
  static async start() {
    for (const limit of ["CREDENTIALS_BY_ADDRESS", "CREDENTIALS_BY_ACCOUNT"]) process.env[limit] = "1000000";
    const edge = new Edge();
    edge.state = await mkdtemp(path.join(os.tmpdir(), "vsay-install-"));
    edge.running = await startEdge({ host: "127.0.0.1", port: 0, state: edge.state });
    edge.url = edge.running.url;
    edge.token = (await ensureAccount({ url: edge.url, state: edge.state })).token;
    return edge;
  }

  async stop() {
    await this.running.stop();
    await rm(this.state, { recursive: true, force: true });
  }

  call(method, route, body) {
    return call(this.url, method, route, { token: this.token, body });
  }

  /** A machine that waits for its agent, with the line that installs it, as BusyBox downloads. */
  async newMachine(name, more = {}) {
    const made = await this.call("POST", "/api/machines", { name, linux_user: "deploy", ...more });
    return { ...made, line: withWget(made.install_command) };
  }

  /** Another line for the same machine. */
  async newLine(machine) {
    const { install_command } = await this.call("POST", `/api/machines/${machine.agent_id}/registration-token`);
    return withWget(install_command);
  }

  machine(machine) {
    return this.call("GET", `/api/machines/${machine.agent_id}`);
  }

  async becomes(machine, status) {
    await eventually(`${machine.name} to be ${status}`, async () => (await this.machine(machine)).status === status);
  }
}

/** A root with BusyBox alone has no curl. */
function withWget(line) {
  return line.replace("curl -fsSL", "wget -qO-");
}

export async function eventually(what, look) {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await look())) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/**
 * Stands between a machine and the edge. `change` says by path what becomes of an answer's body; `hold` names a path whose
 * requests wait for `release`, and `held` is when one does.
 */
export async function between(edge, { change = {}, hold } = {}) {
  let arrived;
  let let_go;
  const held = new Promise((resolve) => (arrived = resolve));
  const released = new Promise((resolve) => (let_go = resolve));
  const server = http.createServer(async (request, response) => {
    const body = [];
    for await (const part of request) body.push(part);
    if (request.url === hold) {
      arrived();
      await released;
    }
    if (response.destroyed) return;
    if (request.headers.upgrade) {
      // Links are not for this one to carry.
      response.writeHead(503).end();
      return;
    }
    const headers = new Headers(Object.entries(request.headers).filter(([name]) => !["host", "connection"].includes(name)));
    const answer = await fetch(edge.url + request.url, {
      method: request.method,
      headers,
      body: ["GET", "HEAD"].includes(request.method) ? undefined : Buffer.concat(body),
    });
    let bytes = Buffer.from(await answer.arrayBuffer());
    // Its own address is the edge's, as far as the machine knows.
    if (request.url === "/install.sh") bytes = Buffer.from(bytes.toString().replaceAll(edge.url, url));
    bytes = change[request.url]?.(bytes) ?? bytes;
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
    response.end(bytes);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${server.address().port}`;
  return {
    url,
    held,
    release: () => let_go(),
    line: (line) => line.replaceAll(edge.url, url),
    close: async () => {
      let_go();
      server.closeAllConnections();
      server.close();
    },
  };
}
