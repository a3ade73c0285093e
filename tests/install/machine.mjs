// A computer to install the agent on: a root that the test makes, in namespaces of its own, which end with everything in them.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmod, chown, copyFile, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { EMULATOR, startsByEmulator } from "./emulator.mjs";

const BUSYBOX = ["/usr/bin/busybox", "/bin/busybox"];

/** An ordinary account of each root. */
export const ANN = { name: "ann", uid: 1000, gid: 1000, home: "/home/ann" };

/** Service managers that stand for the real ones: their programs, folders and files. The real ones are in debian.mjs. */
const MANAGERS = {
  systemd: { programs: ["systemctl"], folders: ["run/systemd/system", "etc/systemd/system"], files: [] },
  openrc: {
    programs: ["rc-service", "rc-update"],
    folders: ["run/openrc", "etc/init.d", "etc/runlevels/default"],
    files: ["run/openrc/softlevel"],
  },
};

const PATH = "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Why these tests cannot run here, or nothing. */
export async function cannotRun() {
  if (process.platform !== "linux") return "namespaces are Linux's";
  if (process.getuid() !== 0) return "only root can make roots and namespaces";
  return (await busybox()) === undefined ? "there is no busybox (apt-get install busybox-static)" : undefined;
}

async function busybox() {
  for (const program of BUSYBOX) {
    if (await lstat(program).catch(() => undefined)) return program;
  }
  return undefined;
}

/** What Debian makes accounts with. Its BusyBox has nothing for that. */
const ACCOUNTS = ["/usr/sbin/useradd", "/usr/sbin/userdel"];

/** What is made anew by every start, by each change of an account, or for the test. */
const FLEETING = [
  "/proc",
  "/dev",
  "/tmp",
  "/bin",
  "/etc/.pwd.lock",
  "/etc/passwd-",
  "/etc/shadow-",
  "/etc/group-",
  "/etc/gshadow-",
];

class Machine {
  #namespace;
  #pid;
  #emulated;

  /**
   * An empty root with BusyBox, two accounts and nothing else, running.
   *
   * @param {{ manager?: "systemd" | "openrc", hostPrograms?: string[], bare?: boolean, mounts?: string[], network?: boolean,
   *   emulated?: boolean }} with `hostPrograms` of this system, and the libraries they take, besides those that make accounts,
   *   which a `bare` one lacks; `mounts`, lines of shell that are run before anything else; `emulated`, also for
   *   programs of the other processor
   */
  static async boot({ manager, hostPrograms = [], bare = false, mounts = [], network = true, emulated = false } = {}) {
    const machine = new Machine();
    machine.#emulated = emulated;
    machine.root = await mkdtemp(path.join(os.tmpdir(), "vsay-root-"));
    await machine.#fill();
    if (manager) await machine.#addManager(MANAGERS[manager]);
    for (const program of [...hostPrograms, ...(bare ? [] : ACCOUNTS)]) await machine.#addHostProgram(program);
    if (emulated) await machine.#addHostProgram(EMULATOR);
    await machine.#start(mounts, network);
    return machine;
  }

  async #fill() {
    const folders = [
      "bin",
      "dev",
      "etc",
      "home",
      "proc",
      "root",
      "run",
      "tmp",
      "usr/bin",
      "usr/sbin",
      "usr/local/bin",
      "var/log",
      "var/tmp",
    ];
    for (const folder of folders) await mkdir(this.at(folder), { recursive: true });
    await chmod(this.root, 0o755);
    for (const folder of ["tmp", "var/tmp"]) await chmod(this.at(folder), 0o1777);
    await copyFile(await busybox(), this.at("bin/busybox"));
    await mkdir(this.at(ANN.home));
    await chown(this.at(ANN.home), ANN.uid, ANN.gid);
    const accounts = ["root:x:0:0:root:/root:/bin/sh", `${ANN.name}:x:${ANN.uid}:${ANN.gid}::${ANN.home}:/bin/sh`];
    await writeFile(this.at("etc/passwd"), `${accounts.join("\n")}\n`);
    await writeFile(this.at("etc/group"), `root:x:0:\ntty:x:5:\n${ANN.name}:x:${ANN.gid}:\n`);
    await writeFile(this.at("etc/shadow"), `root:*:::::::\n${ANN.name}:*:::::::\n`, { mode: 0o600 });
    await writeFile(this.at("etc/hosts"), "127.0.0.1 localhost\n");
    const installed = spawn("chroot", [this.root, "/bin/busybox", "--install", "-s", "/bin"], { stdio: "inherit" });
    const [status] = await once(installed, "exit");
    if (status !== 0) throw new Error("BusyBox could not be installed");
  }

  async #addManager({ programs, folders, files }) {
    for (const folder of folders) await mkdir(this.at(folder), { recursive: true });
    for (const file of files) await writeFile(this.at(file), "");
    for (const program of programs) {
      await copyFile(path.join(import.meta.dirname, "programs", program), this.at(`usr/bin/${program}`));
    }
  }

  async #addHostProgram(program) {
    if (!(await lstat(program).catch(() => undefined))) return;
    for (const file of [program, ...(await librariesOf(program))]) {
      await mkdir(path.dirname(this.at(file)), { recursive: true });
      await copyFile(file, this.at(file));
    }
  }

  async #start(mounts, network) {
    const devices = ["null", "zero", "urandom", "tty"];
    const script = [
      "set -e",
      `mount --bind ${this.root} ${this.root}`,
      `mount -t proc proc ${this.root}/proc`,
      `mount -t tmpfs -o mode=755 dev ${this.root}/dev`,
      ...devices.map((name) => `touch ${this.root}/dev/${name} && mount --bind /dev/${name} ${this.root}/dev/${name}`),
      `mkdir ${this.root}/dev/pts && mount -t devpts -o newinstance,ptmxmode=666,gid=5,mode=620 devpts ${this.root}/dev/pts`,
      `ln -s pts/ptmx ${this.root}/dev/ptmx`,
      ...(this.#emulated ? startsByEmulator(this.root) : []),
      ...mounts.map((line) => line.replaceAll("$ROOT", this.root)),
      "echo ready",
      // Its input is the test: when that ends, so does everything here.
      `exec chroot ${this.root} /bin/cat`,
    ];
    const namespaces = ["--mount", "--pid", "--ipc", "--uts"];
    if (!network) namespaces.push("--net");
    // Which emulator starts what is a matter of a namespace of users, and of the whole computer where there is no other.
    if (this.#emulated) namespaces.push("--user");
    // It begins when it is told to, as whoever it is by then.
    const begin = ["sh", "-c", 'echo begun; read -r begin; exec sh -c "$1"', "sh", script.join("\n")];
    this.#namespace = spawn("unshare", [...namespaces, "--fork", "--kill-child", ...begin], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    await this.#hears("begun");
    const { pid } = this.#namespace;
    this.#pid = (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).trim();
    if (this.#emulated) {
      // Everybody is who they are here.
      for (const map of ["uid_map", "gid_map"]) await writeFile(`/proc/${this.#pid}/${map}`, "0 0 65536\n");
    }
    this.#namespace.stdin.write("begin\n");
    await this.#hears("ready");
  }

  async #hears(word) {
    const [line] = await Promise.race([
      once(this.#namespace.stdout, "data"),
      once(this.#namespace, "exit").then(() => [""]),
    ]);
    if (!String(line).includes(word)) throw new Error("the namespaces of a test could not be made");
  }

  /** The place of one of its files, as it is seen from here. */
  at(file) {
    return path.join(this.root, file);
  }

  /**
   * Runs lines of shell on it, and gives the status and all that was said.
   *
   * @param {string} script
   * @param {{ user?: typeof ANN, env?: Record<string, string> }} options
   */
  run(script, options) {
    return this.start(script, options).ended;
  }

  /** The same, while it runs: `said(words)` waits until it has said them. */
  start(script, { user, env = {} } = {}) {
    const who = user ? ["--setuid", String(user.uid), "--setgid", String(user.gid)] : [];
    const home = user?.home ?? "/root";
    const enter = [...this.#enter(), "--root", `--wd=${this.at(home)}`, ...who];
    const child = spawn("nsenter", [...enter, "/bin/sh", "-c", script], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH, HOME: home, USER: user?.name ?? "root", ...env },
    });
    const run = { output: "", waiting: [] };
    const hear = (data) => {
      run.output += data;
      for (const look of run.waiting) look();
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    run.ended = once(child, "close").then(([status]) => ({ status, output: run.output }));
    run.said = (words) =>
      new Promise((resolve, reject) => {
        const look = () => run.output.includes(words) && resolve();
        run.waiting.push(look);
        look();
        run.ended.then(() => reject(new Error(`it ended without saying ${words}: ${run.output}`)));
      });
    return run;
  }

  #enter() {
    const namespaces = ["--mount", "--pid", "--ipc", "--uts", "--net", ...(this.#emulated ? ["--user"] : [])];
    return ["--target", this.#pid, ...namespaces];
  }

  /**
   * Runs a program of this system on it, such as one that installs into another root: it sees the files of this system, and
   * the processes of that one. Gives the status and all that was said.
   */
  async runFromOutside(program, ...args) {
    const child = spawn("nsenter", [...this.#enter(), program, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH, HOME: "/root", LC_ALL: "C" },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
    const [status] = await once(child, "close");
    return { status, output };
  }

  /** The processes on it, but for the first: the words of each. */
  async processes() {
    const { output } = await this.run(
      "cd /proc; for p in [0-9]*; do [ $p = $$ ] || tr '\\0' ' ' <$p/cmdline 2>/dev/null && echo; done",
    );
    return output.split("\n").filter((line) => line.trim() !== "" && !/^\/bin\/cat|^tr /.test(line.trim()));
  }

  /** Every file of it that outlives a boot, with its mode and a hash of its content. */
  async state() {
    const files = new Map();
    const look = async (folder) => {
      for (const entry of await readdir(this.at(folder))) {
        const file = path.join(folder, entry);
        if (FLEETING.includes(file)) continue;
        const { mode } = await lstat(this.at(file));
        const kind = mode & 0o170000;
        const content =
          kind === 0o100000
            ? createHash("sha256")
                .update(await readFile(this.at(file)))
                .digest("hex")
            : kind === 0o120000
              ? await readlink(this.at(file))
              : "";
        files.set(file, `${mode.toString(8)} ${content}`);
        if (kind === 0o040000) await look(file);
      }
    };
    await look("/");
    return Object.fromEntries([...files].sort());
  }

  /** Ends it, as when the power goes. */
  async off() {
    if (this.#namespace.exitCode === null && this.#namespace.signalCode === null) {
      this.#namespace.kill("SIGKILL");
      await once(this.#namespace, "exit");
    }
  }

  async remove() {
    await this.off();
    await rm(this.root, { recursive: true, force: true });
  }
}

/** Boots a computer, and ends it with the test. The options are those of {@link Machine.boot}. */
export async function boot(t, options) {
  const machine = await Machine.boot(options);
  t.after(() => machine.remove());
  return machine;
}

async function librariesOf(program) {
  const ldd = spawn("ldd", [program], { stdio: ["ignore", "pipe", "ignore"] });
  let text = "";
  ldd.stdout.on("data", (data) => (text += data));
  await once(ldd, "close");
  return [...text.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1]);
}
