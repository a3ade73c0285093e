// Two runtimes on one set of databases would spoil them: a state folder belongs to one process at a time.
import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";

/**
 * Takes a state folder, or says who has it. The mark of a process that died counts for nothing.
 *
 * @param {string} state
 * @returns {Promise<() => Promise<void>>} gives the folder free again
 */
export async function lock(state) {
  const file = path.join(state, "edge.pid");
  const holder = Number(await readFile(file, "utf8").catch(() => 0));
  if (holder > 0 && holder !== process.pid && isAlive(holder)) {
    throw new Error(`${state} is in use by process ${holder} (says ${file}); end it, or choose another folder`);
  }
  await writeFile(file, String(process.pid));
  return () => rm(file, { force: true });
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === "EPERM";
  }
}
