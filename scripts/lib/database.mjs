// The local database, brought up to date before the edge listens: whoever asks the first moment it answers finds all tables.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { ROOT } from "./config.mjs";
import { migrate } from "./migrate.mjs";

/** A new database with all migrations, by their fingerprint. Each end-to-end test that wants an edge of its own copies it. */
const TEMPLATES = path.join(ROOT, ".tools/databases");

/** The file in the data folder that says which migrations its database has. */
const STAMP = "schema";

/**
 * Applies what the database in `data` lacks.
 *
 * @param {string} data the folder where the runtime keeps its data
 * @param {import("./config.mjs").EdgeConfig["migrations"]} migrations
 * @param {() => Promise<import("miniflare").Miniflare>} start starts a runtime over that folder which nobody can reach
 */
export async function prepareDatabase(data, migrations, start) {
  const schema = createHash("sha256").update(JSON.stringify(migrations)).digest("hex");
  const stamp = path.join(data, STAMP);
  if ((await readFile(stamp, "utf8").catch(() => "")) === schema) return;
  const template = path.join(TEMPLATES, schema);
  const fresh = !existsSync(data);
  if (fresh && existsSync(template)) return cp(template, data, { recursive: true });
  const miniflare = await start();
  try {
    await migrate(miniflare, migrations);
  } finally {
    await miniflare.dispose();
  }
  await writeFile(stamp, schema);
  if (fresh) await keep(data, template);
}

/** Of two who make the same template at the same time, the first one's stays. */
async function keep(data, template) {
  const draft = `${template}.${process.pid}`;
  await mkdir(TEMPLATES, { recursive: true });
  await cp(data, draft, { recursive: true });
  await rename(draft, template).catch(() => rm(draft, { recursive: true, force: true }));
}
