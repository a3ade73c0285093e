// Runs the edge on this machine for the end-to-end tests and the benchmarks, and for whoever wants it without a demo.
//
//   edge.mjs --state DIR [--port 8787] [--host 127.0.0.1] [--stdin-lifeline]
//
// Prints one line of JSON when it answers: {"url", "pid", "workerd_pid"}; everything else goes to stderr. Ends on SIGTERM,
// SIGINT and SIGHUP. An environment variable named like one of wrangler.toml's [vars] or rate limits overrides it.
//
// With --stdin-lifeline it also ends when its stdin does, so that a test that dies leaves nothing behind, and obeys lines on
// stdin, answering each with a line of JSON:
//
//   evict <class> <object name> [hibernate|close]    drops a Durable Object from memory
//   scheduled [<RFC 3339 time>]                      runs the scheduled work as if it were that time
//   sql <statement>                                  runs a statement on the database
//   heap | linear                                    says how large the Worker's heap is, or its WebAssembly's memory; wants INSPECT=1
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { startEdge } from "./lib/edge.mjs";

const { values } = parseArgs({
  options: {
    host: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "8787" },
    state: { type: "string" },
    "stdin-lifeline": { type: "boolean", default: false },
  },
});

let edge;
let ending = false;

async function end(status) {
  if (ending) return;
  ending = true;
  await edge?.stop();
  process.exit(status);
}

function fail(error) {
  process.stderr.write(`edge: ${error.message}\n`);
  end(1);
}

function portNumber(text) {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw new Error(`the port must be a number from 0 to 65535, not ${text}`);
  return port;
}

function answer(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

async function obey(line) {
  const [verb, ...words] = line.trim().split(/\s+/);
  if (verb === "evict" && words.length >= 2) {
    const [className, name, webSockets] = words;
    await edge.evict(className, name, webSockets);
    return { evicted: name };
  }
  if (verb === "scheduled" && words.length <= 1) {
    const time = words.length === 0 ? new Date() : new Date(words[0]);
    if (Number.isNaN(time.getTime())) throw new Error(`not a time: ${words[0]}`);
    return { scheduled: (await edge.scheduled(time)).outcome };
  }
  if (verb === "sql") return { rows: await edge.sql(line.slice("sql ".length)) };
  if (verb === "heap" && words.length === 0) return { bytes: await (await edge.heap()).bytes() };
  if (verb === "linear" && words.length === 0) return { bytes: await (await edge.heap()).linearBytes() };
  throw new Error(`not a command: ${line}`);
}

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => end(0));
// A reader that went away is the same as a closed stdin.
process.stdout.on("error", () => end(0));

if (values.state === undefined) {
  fail(new Error("--state DIR is missing: the folder that keeps all data"));
} else {
  const commands = values["stdin-lifeline"] ? createInterface({ input: process.stdin }) : undefined;
  commands?.on("close", () => end(0));
  try {
    edge = await startEdge({ host: values.host, port: portNumber(values.port), state: values.state });
    answer({ url: edge.url, pid: process.pid, workerd_pid: edge.workerdPid });
    commands?.on("line", (line) => obey(line).then(answer, (error) => answer({ error: error.message })));
  } catch (error) {
    fail(error);
  }
}
