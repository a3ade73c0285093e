// Runs the floor (floor/worker.js): what workerd costs without us, for the benchmarks to compare with.
//
//   floor.mjs --state DIR
//
// Like scripts/edge.mjs it runs workerd through Miniflare without a proxy, prints one line of JSON when it answers: {"url"},
// and ends when its stdin does.
import path from "node:path";
import { parseArgs } from "node:util";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { loadConfig } from "../scripts/lib/config.mjs";

/** As many machines as the product lists. */
const MACHINES = 50;

// The columns that the product's list reads, so that a row is as wide.
const COLUMNS = {
  id: (n) => `01990000000000000000${hex(n, 4)}`,
  agent_id: (n) => `a0000000${hex(n, 4)}`,
  name: (n) => `machine-${String(n).padStart(2, "0")}`,
  description: (n) => `Machine number ${n} of the benchmark`,
  hostname: (n) => `host-${n}`,
  os: () => "Debian GNU/Linux 12 x86_64",
  ip_address: (n) => `10.0.0.${n}`,
  status: () => "pending",
  is_connected: () => 0,
  linux_user: () => "root",
  allow_sudo: () => 0,
  deploy_application: () => 0,
  tags: () => '["bench","linux"]',
  metadata: () => "{}",
  agent_version: () => "0.1.0",
  cpu_percent: () => 12.5,
  memory_percent: () => 40.25,
  disk_percent: () => 61.5,
  network_inbound: () => 0.5,
  network_outbound: () => 0.25,
  uptime_seconds: () => 86_400,
  last_active: () => "2026-01-01T00:00:00.000Z",
  metrics_at: () => "2026-01-01T00:00:00.000Z",
  health: () => "healthy",
  thresholds: () => "{}",
  command_policy: () => "{}",
  created_at: () => "2026-01-01T00:00:00.000Z",
  revoked_at: () => null,
  owner_id: () => "019900000000000000000001",
  owner: () => "bench",
  tenant_id: () => "bench",
};

function hex(n, length) {
  return n.toString(16).padStart(length, "0");
}

async function fill(db) {
  const names = Object.keys(COLUMNS);
  const insert = db.prepare(`INSERT INTO machines (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`);
  const rows = Array.from({ length: MACHINES }, (_, n) => insert.bind(...Object.values(COLUMNS).map((value) => value(n))));
  await db.batch([db.prepare(`CREATE TABLE machines (${names.join(", ")}, PRIMARY KEY (id))`), ...rows]);
}

const { values } = parseArgs({ options: { state: { type: "string" } } });
const { worker } = await loadConfig();
const root = path.join(import.meta.dirname, "floor");
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    host: "127.0.0.1",
    port: 0,
    log: new Log(LogLevel.ERROR),
    logRequests: false,
    cf: false,
    telemetry: { enabled: false },
    resourcePersistencePath: path.join(values.state, "data"),
    modules: [{ type: "ESModule", path: path.join(root, "worker.js") }],
    modulesRoot: root,
    compatibilityDate: worker.compatibilityDate,
    durableObjects: { PIPE: { className: "Pipe", useSQLite: true } },
    d1Databases: ["DB"],
    r2Buckets: ["BUCKET"],
  }),
);
const { origin } = await miniflare.ready;
await fill(await miniflare.getD1Database("DB"));
process.stdin.on("close", () => miniflare.dispose().then(() => process.exit(0)));
process.stdin.resume();
process.stdout.write(`${JSON.stringify({ url: origin })}\n`);
