// What `make dev` promises, done by a person who has only the page: sign in with what it printed, click Connect, type into a
// real shell of this very machine, come back to it; and Ctrl-C ends everything it started, and only that.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";

const ROOT = path.resolve(import.meta.dirname, "../..");
/** For a computer that does other things as well; on an idle one every step takes a second or two. */
const PATIENCE_MS = 60_000;

let state;
let browser;
let product;

before(async () => {
  state = await mkdtemp(path.join(os.tmpdir(), "vsay-edge-"));
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
  });
  product = await start();
});

after(async () => {
  await browser?.close();
  await product?.stop();
  await rm(state, { recursive: true, force: true });
});

/** Starts the product as a person does, on a free port, in a process group of its own as a terminal would. */
async function start() {
  const make = spawn("make", ["--silent", "dev", "PORT=0", `STATE=${state}`], {
    cwd: ROOT,
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, MAKEFLAGS: "", MFLAGS: "", MAKELEVEL: "" },
  });
  const exited = once(make, "exit");
  let text = "";
  const printed = new Promise((resolve, reject) => {
    make.stdout.on("data", (data) => {
      text += data;
      if (text.includes("Ctrl-C ends everything")) resolve(text);
    });
    exited.then(() => reject(new Error(`make dev ended: ${text}`)));
  });
  const stop = async () => {
    if (make.exitCode === null && make.signalCode === null) process.kill(-make.pid, "SIGINT");
    await exited;
  };
  const field = (box, name) => new RegExp(`│ +${name} +(\\S+)`).exec(box)?.[1];
  const box = await printed;
  return { pid: make.pid, url: field(box, "Open"), password: field(box, "Password"), user: field(box, "Sign in as"), stop };
}

async function signIn({ url, user, password }) {
  const context = await browser.newContext({ baseURL: url });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto("/");
  await page.getByLabel("Email or username").fill(user);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  return page;
}

/** Waits until the terminal shows a text, wrapped or not. */
function shows(page, text) {
  return page.waitForFunction((wanted) => globalThis.vsayTerminal?.text.includes(wanted), text);
}

async function type(page, command, answer) {
  await page.keyboard.type(`${command}\n`);
  await shows(page, answer);
}

/** Every process below one, itself included, by id and start time, so that a reused id is not taken for it. */
function family(pid) {
  const folder = `/proc/${pid}/task`;
  if (!existsSync(folder)) return [];
  const children = readdirSync(folder).flatMap((task) => readFileSync(`${folder}/${task}/children`, "utf8").trim().split(" "));
  return [{ pid, started: startTime(pid) }, ...children.filter(Boolean).flatMap(family)];
}

function startTime(pid) {
  try {
    const [state, ...fields] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1).split(" ");
    return state === "Z" ? undefined : fields[18];
  } catch {
    return undefined;
  }
}

test("a person signs in with what make dev printed, connects, and types into a real shell of this machine", async () => {
  const page = await signIn(product);
  await page.getByRole("button", { name: `Connect to ${os.hostname()}` }).click();
  await page.getByText("Connected", { exact: false }).first().waitFor();
  await type(page, "echo $((6*7))", "\n42\n");
  await type(page, "echo \"<$(cat /proc/sys/kernel/hostname)>\"", `<${os.hostname()}>`);

  await type(page, "kept=treasure; echo set", "\nset\n");
  await page.reload();
  await shows(page, "\n42\n");
  await type(page, 'echo "<$kept>"', "<treasure>");
  await page.context().close();
});

test("Ctrl-C ends everything it started and only that, and the next start knows the same account", async () => {
  const bystander = spawn("sleep", ["600"]);
  const started = family(product.pid);
  assert.ok(started.length >= 5, "make, the runner, the runtime, the agent and its shell");
  await product.stop();
  const left = started.filter(({ pid, started }) => started !== undefined && startTime(pid) === started);
  assert.deepEqual(left, []);
  assert.ok(bystander.exitCode === null && bystander.kill(), "others were left alone");

  const { password, user } = product;
  product = await start();
  assert.deepEqual([product.user, product.password], [user, password]);
  const page = await signIn(product);
  await page.getByRole("button", { name: `Connect to ${os.hostname()}` }).waitFor();
  await page.context().close();
});
