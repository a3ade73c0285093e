// wrangler.toml and migrations/ as the local runner needs them. Reading them with wrangler takes more than a second of
// processor time, which every end-to-end test would pay, so the result is kept until one of its sources changes.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";

/** The root of the project. */
export const ROOT = path.resolve(import.meta.dirname, "../..");

const CACHE = path.join(ROOT, ".tools/edge-config.json");
const SOURCES = ["wrangler.toml", "package-lock.json", "scripts/lib/config.mjs"];

/**
 * @typedef {object} EdgeConfig
 * @property {string} name the Worker's name
 * @property {string} main path of its built entry module
 * @property {string} cron when its scheduled work runs
 * @property {Record<string, unknown>} worker Miniflare's options for it, in the shape `convertV4MiniflareOptions` takes
 * @property {{ database: string, name: string, statements: string[] }[]} migrations in the order they apply
 */

/** @returns {Promise<EdgeConfig>} */
export async function loadConfig() {
  const key = await fingerprint();
  const cached = await readFile(CACHE, "utf8").then(JSON.parse, () => undefined);
  if (cached?.key === key) return cached.config;
  const config = await readWithWrangler();
  const draft = `${CACHE}.${process.pid}`;
  await mkdir(path.dirname(CACHE), { recursive: true });
  await writeFile(draft, JSON.stringify({ key, config }));
  await rename(draft, CACHE);
  return config;
}

/** @returns {Promise<EdgeConfig>} */
async function readWithWrangler() {
  const wrangler = await import("wrangler");
  const config = wrangler.unstable_readConfig({ config: path.join(ROOT, "wrangler.toml") });
  const { workerOptions, main } = wrangler.unstable_getMiniflareWorkerOptions(config);
  const migrations = [];
  for (const database of config.d1_databases) {
    const folder = path.join(ROOT, database.migrations_dir ?? "migrations");
    for (const name of await sqlFiles(folder)) {
      const statements = wrangler.unstable_splitSqlQuery(await readFile(path.join(folder, name), "utf8"));
      migrations.push({ database: database.binding, name, statements });
    }
  }
  const worker = {
    ...workerOptions,
    name: config.name,
    // Secrets that lie beside wrangler.toml belong to whoever runs `wrangler dev`; ours live in the state folder.
    bindings: { ...config.vars },
    // The runner names every module itself.
    modulesRules: undefined,
  };
  return { name: config.name, main, cron: config.triggers.crons[0], worker, migrations };
}

async function fingerprint() {
  const hash = createHash("sha256").update(ROOT);
  for (const source of SOURCES) hash.update(await readFile(path.join(ROOT, source)));
  for (const name of await sqlFiles(path.join(ROOT, "migrations"))) {
    hash.update(name).update(await readFile(path.join(ROOT, "migrations", name)));
  }
  return hash.digest("hex");
}

async function sqlFiles(folder) {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => name.endsWith(".sql")).sort();
}
