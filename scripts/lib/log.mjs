// What the local edge says: lines on stderr, each marked with who speaks.
import { copyFile, mkdir } from "node:fs/promises";
import path from "node:path";
import { Log, LogLevel } from "miniflare";

/** @param {string} who @param {string} message */
export function say(who, message) {
  for (const line of message.trimEnd().split("\n")) process.stderr.write(`[${who}] ${line}\n`);
}

/** Miniflare's warnings. Mail that the Worker sent, which Miniflare tells here, is kept in the folder `mail`. */
export class EdgeLog extends Log {
  #mail;

  /** @param {string} mail */
  constructor(mail) {
    super(LogLevel.INFO);
    this.#mail = mail;
  }

  logWithLevel(level, message) {
    const mail = /^Email: (.+\.eml)$/m.exec(message)?.[1];
    if (mail !== undefined) this.#keep(mail).catch((error) => say("mail", error.message));
    else if (level <= LogLevel.WARN) say("edge", message);
  }

  async #keep(mail) {
    await mkdir(this.#mail, { recursive: true });
    const kept = path.join(this.#mail, path.basename(mail));
    await copyFile(mail, kept);
    say("mail", kept);
  }
}
