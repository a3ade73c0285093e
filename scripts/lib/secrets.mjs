// The secrets of one local state folder, made on its first start.
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { parseEnv } from "node:util";

/** Every edge needs these, so they are made. */
const NEEDED = ["JWT_SECRET", "SECRETS_KEY"];

/** These come from elsewhere: from the file, or from the environment. */
const OPTIONAL = [
  "MAIL_HTTP_KEY",
  "MICROSOFT_CLIENT_SECRET",
  "GITHUB_CLIENT_SECRET",
  "OIDC_CLIENT_SECRET",
  "SUPER_ADMIN_PASSWORD",
  "METRICS_TOKEN",
];

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
  const missing = NEEDED.filter((name) => !secrets[name]);
  if (missing.length > 0) {
    for (const name of missing) secrets[name] = randomBytes(32).toString("hex");
    const lines = missing.map((name) => `${name}=${secrets[name]}\n`);
    const separator = text === "" || text.endsWith("\n") ? "" : "\n";
    await writeFile(file, text + separator + lines.join(""), { mode: 0o600 });
  }
  for (const name of OPTIONAL) if (process.env[name]) secrets[name] = process.env[name];
  return secrets;
}
