// The product as `make dev` starts it, and a person in front of it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { chromium } from 'playwright-core';

const ROOT = path.resolve(import.meta.dirname, '../../..');
/** For a computer that does other things as well; on an idle one every step takes a second or two. */
const PATIENCE_MS = 60_000;
/** How often a letter is looked for. */
const POLL_MS = 50;

export function launchBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  });
}

/**
 * Starts the product as a person does, on a free port, in a process group of its own as a terminal would. Its shells are those
 * of `system` (../system.ts).
 */
export async function startProduct(state, system) {
  const make = spawn('make', ['--silent', 'dev', 'PORT=0', `STATE=${state}`], {
    cwd: ROOT,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, SYSTEM_ROOT: system.root, MAKEFLAGS: '', MFLAGS: '', MAKELEVEL: '' },
  });
  const exited = once(make, 'exit');
  let text = '';
  const printed = new Promise((resolve, reject) => {
    make.stdout.on('data', (data) => {
      text += data;
      if (text.includes('Ctrl-C ends everything')) resolve(text);
    });
    exited.then(() => reject(new Error(`make dev ended: ${text}`)));
  });
  const stop = async () => {
    if (make.exitCode === null && make.signalCode === null) process.kill(-make.pid, 'SIGINT');
    await exited;
  };
  const field = (box, name) => new RegExp(`│ +${name} +(\\S+)`).exec(box)?.[1];
  const box = await printed;
  return { pid: make.pid, url: field(box, 'Open'), password: field(box, 'Password'), user: field(box, 'Sign in as'), stop };
}

/** A page of a browser window of its own. */
export async function openPage(browser, url) {
  const context = await browser.newContext({ baseURL: url });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  return page;
}

export async function signIn(page, { user, password }) {
  await page.goto('/');
  await page.getByLabel('Email or username').fill(user);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** Waits until the terminal shows a text, wrapped or not. */
export function shows(page, text) {
  return page.waitForFunction((wanted) => globalThis.vsayTerminal?.text.includes(wanted), text);
}

export async function type(page, command, answer) {
  await page.keyboard.type(`${command}\n`);
  await shows(page, answer);
}

/** The link to such a page in the letter that went, or is about to go, to an address. */
export async function linkInMail(state, address, name) {
  const folder = path.join(state, 'mail');
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; ) {
    for (const file of await readdir(folder).catch(() => [])) {
      const letter = (await readFile(path.join(folder, file), 'utf8')).replace(/=\r?\n/g, '');
      const link = new RegExp(`http\\S+/${name}/[0-9a-f]+`).exec(letter)?.[0];
      if (letter.includes(`To: <${address}>`) && link) return link;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(`no letter with a link to ${name} went to ${address}`);
}
