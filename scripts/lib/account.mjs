// The demo account: somebody to sign in as, made once per state folder.
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { call, Refused } from "./api.mjs";

/** Twelve characters: short enough to type, and 72 bits, which nobody guesses at ten attempts a minute. */
const PASSWORD_BYTES = 9;

/**
 * Signs the demo account in, signing it up first if there is none.
 *
 * @param {{ url: string, state: string }} where
 * @returns {Promise<{ username: string, email: string, password: string, token?: string }>} without `token` if the account
 *   has another password by now
 */
export async function ensureAccount({ url, state }) {
  const file = path.join(state, "demo.json");
  let account = await readFile(file, "utf8").then(JSON.parse, () => undefined);
  if (account === undefined) {
    const password = randomBytes(PASSWORD_BYTES).toString("base64url");
    account = { username: "demo", email: "demo@example.com", password };
    // First the file, then the account: an account whose password nobody knows could never be used.
    await writeFile(file, `${JSON.stringify(account, null, 2)}\n`, { mode: 0o600 });
  }
  const { username, email, password } = account;
  const answer =
    (await unless(401, call(url, "POST", "/api/login", { body: { email, password } }))) ??
    (await unless(409, call(url, "POST", "/api/signup", { body: { username, email, password } })));
  return { ...account, token: answer?.token };
}

/** The answer, or nothing if it was a refusal with this status. */
async function unless(status, answer) {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Refused && error.status === status) return undefined;
    throw error;
  }
}
