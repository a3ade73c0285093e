// Minisign keys and signatures (https://jedisct1.github.io/minisign/), with the Ed25519, BLAKE2b and scrypt of Node.js: what
// `make dev` has anyway.
import { createHash, createPrivateKey, createPublicKey, randomBytes, scryptSync, sign } from "node:crypto";

/** Bytes of a secret key: two letters each for the algorithm, the key derivation and the checksum; salt, its two limits; then
 * what a password may hide: id, seed, public key, checksum. */
const SECRET_BYTES = 158;
const SALT_AT = 6;
const LIMITS_AT = 38;
const HIDDEN_AT = 54;
const ID_BYTES = 8;
const KEY_BYTES = 32;
const HIDDEN_BYTES = SECRET_BYTES - HIDDEN_AT;

/** Most memory that a password may cost. Minisign itself asks for 1 GiB, and scrypt for a little more. */
const MAX_SCRYPT_MEMORY = 2 ** 30 + 2 ** 24;

/** How the untrusted first line of every file begins. */
const COMMENT = "untrusted comment: ";

/** A key that signs. `publicKey` is the text of its public key file.
 * @typedef {{ id: Buffer, key: import("node:crypto").KeyObject, publicKey: string }} SigningKey */

/** Reads a secret key file; `password` is needed if it has one.
 * @param {string} text @param {string | undefined} password @returns {SigningKey} */
export function readKey(text, password) {
  const bytes = Buffer.from(text.split("\n")[1] ?? "", "base64");
  const [algorithm, derivation] = [bytes.toString("latin1", 0, 2), bytes.toString("latin1", 2, 4)];
  if (bytes.length !== SECRET_BYTES || algorithm !== "Ed") throw new Error("this is no secret key of minisign");
  let hidden = bytes.subarray(HIDDEN_AT);
  if (derivation === "Sc") {
    if (password === undefined) throw new Error("the key has a password: set VSAY_SIGNING_PASSWORD");
    const salt = bytes.subarray(SALT_AT, LIMITS_AT);
    const [operations, memory] = [bytes.readBigUInt64LE(LIMITS_AT), bytes.readBigUInt64LE(LIMITS_AT + 8)].map(Number);
    const mask = scryptSync(password, salt, HIDDEN_BYTES, { ...cost(operations, memory), maxmem: MAX_SCRYPT_MEMORY });
    hidden = hidden.map((byte, at) => byte ^ mask[at]);
  } else if (derivation !== "\0\0") {
    throw new Error("the key is hidden in a way that is not known here");
  }
  const seed = hidden.subarray(ID_BYTES, ID_BYTES + KEY_BYTES);
  const made = fromSeed(hidden.subarray(0, ID_BYTES), seed);
  if (!made.raw.equals(hidden.subarray(ID_BYTES + KEY_BYTES, ID_BYTES + 2 * KEY_BYTES))) {
    throw new Error(derivation === "Sc" ? "the password is not that of the key" : "the key is damaged");
  }
  return made;
}

/** A new secret key file without a password, for tests and for one's own computer. Its checksum is missing, a BLAKE2b of 32
 * bytes that Node.js does not make: only minisign itself compares it. @returns {string} */
export function makeKey() {
  const [id, seed] = [randomBytes(ID_BYTES), randomBytes(KEY_BYTES)];
  const bytes = Buffer.alloc(SECRET_BYTES);
  bytes.write("Ed\0\0B2", "latin1");
  Buffer.concat([id, seed, fromSeed(id, seed).raw]).copy(bytes, HIDDEN_AT);
  return `${COMMENT}throwaway secret key\n${bytes.toString("base64")}\n`;
}

/** The signature file of a file's content. Its trusted comment, which is signed too, names the file.
 * @param {SigningKey} key @param {Buffer} content @param {string} name @returns {string} */
export function signature(key, content, name) {
  // "ED" rather than "Ed": of the content's hash, so that programs verify without having the file in memory.
  const made = sign(null, createHash("blake2b512").update(content).digest(), key.key);
  const trusted = `timestamp:${Math.floor(Date.now() / 1000)}\tfile:${name}\thashed`;
  const whole = sign(null, Buffer.concat([made, Buffer.from(trusted)]), key.key);
  const first = Buffer.concat([Buffer.from("ED"), key.id, made]).toString("base64");
  return `${COMMENT}signature of VSAY Edge\n${first}\ntrusted comment: ${trusted}\n${whole.toString("base64")}\n`;
}

function fromSeed(id, seed) {
  // RFC 8410: what stands before the seed in a PKCS#8 document never differs.
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const raw = Buffer.from(createPublicKey(key).export({ format: "jwk" }).x, "base64url");
  const named = id.readBigUInt64LE().toString(16).toUpperCase();
  const encoded = Buffer.concat([Buffer.from("Ed"), id, raw]).toString("base64");
  return { id: Buffer.from(id), key, raw, publicKey: `${COMMENT}minisign public key ${named}\n${encoded}\n` };
}

/** What libsodium makes of its two limits (`crypto_pwhash_scryptsalsa208sha256`). */
function cost(operations, memory) {
  const r = 8;
  const bound = Math.max(operations, 32768);
  const byTime = bound < memory / 32;
  const most = byTime ? bound / (r * 4) : memory / (r * 128);
  const N = 2 ** Math.max(1, Math.floor(Math.log2(most)));
  return { N, r, p: byTime ? 1 : Math.max(1, Math.floor(Math.floor(bound / 4 / N) / r)) };
}
