// Programs of the other kind of processor, which the kernel starts by an emulator. Which one that is, is a matter of a namespace of
// users, and of the whole computer only where there is no other.
import { lstat, readFile } from "node:fs/promises";

/** The processor that this computer does not have, as `uname` calls it. */
export const OTHER_PROCESSOR = process.arch === "arm64" ? "x86_64" : "aarch64";
export const EMULATOR = `/usr/bin/qemu-${OTHER_PROCESSOR}`;

/** How a program for it begins (ELF: 64 bits, little-endian, a program or a library, the machine), and which bits of that count. */
const MACHINE = { aarch64: "\\xb7\\x00", x86_64: "\\x3e\\x00" }[OTHER_PROCESSOR];
const BEGINNING = `\\x7fELF\\x02\\x01\\x01${"\\x00".repeat(9)}\\x02\\x00${MACHINE}`;
const MASK = `${"\\xff".repeat(7)}\\x00${"\\xff".repeat(8)}\\xfe${"\\xff".repeat(3)}`;

/** Lines of shell for a namespace of users whose root is at `root`. */
export function startsByEmulator(root) {
  const folder = `${root}/proc/sys/fs/binfmt_misc`;
  const rule = `:${OTHER_PROCESSOR}:M::${BEGINNING}:${MASK}:${EMULATOR}:`;
  return [`mount -t binfmt_misc binfmt_misc ${folder}`, `printf '%s' '${rule}' >${folder}/register`];
}

/** Why no computer with the other processor can be made here, or nothing. */
export async function cannotEmulate() {
  if (!(await lstat(EMULATOR).catch(() => undefined))) return `there is no ${EMULATOR} (apt-get install qemu-user)`;
  const kinds = await readFile("/proc/filesystems", "utf8");
  return kinds.includes("binfmt_misc") ? undefined : "this kernel starts no programs by an emulator (binfmt_misc)";
}
