// Writes a checksum and a signature beside each file: sign.mjs --key KEY --public FILE [--make] FILES.... KEY is a secret key
// of minisign, VSAY_SIGNING_PASSWORD its password; --make makes it first, without a password, if it is not there. --public is
// where the public key goes.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { makeKey, readKey, signature } from "./lib/sign.mjs";

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { key: { type: "string" }, public: { type: "string" }, make: { type: "boolean" } },
  });
  if (values.make && !existsSync(values.key)) {
    await mkdir(path.dirname(values.key), { recursive: true, mode: 0o700 });
    await writeFile(values.key, makeKey(), { mode: 0o600, flag: "wx" });
  }
  const key = readKey(await readFile(values.key, "utf8"), process.env.VSAY_SIGNING_PASSWORD);
  await writeFile(values.public, key.publicKey);
  for (const file of positionals) {
    const content = await readFile(file);
    const name = path.basename(file);
    await writeFile(`${file}.sha256`, `${createHash("sha256").update(content).digest("hex")}  ${name}\n`);
    await writeFile(`${file}.minisig`, signature(key, content, name));
  }
}

main().catch((error) => {
  process.stderr.write(`error: nothing was signed: ${error.message}\n`);
  process.exitCode = 1;
});
