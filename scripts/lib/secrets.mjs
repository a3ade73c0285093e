// The secrets of one local state folder, made on its first start.
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { parseEnv } from "node:util";

/**
 * Reads `.dev.vars` of a state folder, adding the secrets it lacks. The file holds `NAME=value` lines, as wrangler's does,
 * and may be edited.
 *
 * @param {string} state
 * @returns {Promise<Record<string, string>>}
 */
export async function loadSecrets(state) {
  const file = path.join(state, ".dev.vars");
  const text = await readFile(file, "utf8").catch((error) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  const secrets = parseEnv(text);
  const missing = ["JWT_SECRET", "SECRETS_KEY"].filter((name) => !secrets[name]);
  if (missing.length > 0) {
    const lines = missing.map((name) => `${name}=${(secrets[name] = randomBytes(32).toString("hex"))}\n`);
    const separator = text === "" || text.endsWith("\n") ? "" : "\n";
    await writeFile(file, text + separator + lines.join(""), { mode: 0o600 });
  }
  return secrets;
}
