// What `make dev` promises, done by a person who has only the page: sign in with what it printed, click Connect, type into a
// real shell of this very machine, come back to it; and Ctrl-C ends everything it started, and only that.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { makeSystem } from '../system.ts';
import { launchBrowser, openPage, shows, signIn, startProduct, type } from './product.mjs';

let state;
let system;
let browser;
let product;

before(async () => {
  system = makeSystem();
  state = await mkdtemp(path.join(os.tmpdir(), 'vsay-edge-'));
  browser = await launchBrowser();
  product = await startProduct(state, system);
});

after(async () => {
  await browser?.close();
  await product?.stop();
  await rm(state, { recursive: true, force: true });
  system?.remove();
});

async function demo() {
  const page = await openPage(browser, product.url);
  await signIn(page, product);
  return page;
}

/** Every process below one, itself included, by id and start time, so that a reused id is not taken for it. */
function family(pid) {
  const folder = `/proc/${pid}/task`;
  if (!existsSync(folder)) return [];
  const children = readdirSync(folder).flatMap((task) =>
    readFileSync(`${folder}/${task}/children`, 'utf8').trim().split(' '),
  );
  return [{ pid, started: startTime(pid) }, ...children.filter(Boolean).flatMap(family)];
}

function startTime(pid) {
  try {
    const [state, ...fields] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
    return state === 'Z' ? undefined : fields[18];
  } catch {
    return undefined;
  }
}

test('a person signs in with what make dev printed, connects, and types into a real shell of this machine', async () => {
  const page = await demo();
  await page.getByRole('button', { name: `Connect to ${os.hostname()}` }).click();
  await page.getByText('Connected', { exact: false }).first().waitFor();
  await type(page, 'echo $((6*7))', '\n42\n');
  await type(page, 'echo "<$(cat /proc/sys/kernel/hostname)>"', `<${os.hostname()}>`);

  await type(page, 'kept=treasure; echo set', '\nset\n');
  await page.reload();
  await shows(page, '\n42\n');
  await type(page, 'echo "<$kept>"', '<treasure>');
  await page.context().close();
});

test('a shell of these tests runs the start-up files of nobody', async () => {
  const page = await demo();
  await page.getByRole('button', { name: `Connect to ${os.hostname()}` }).click();
  await page.getByText('Connected', { exact: false }).first().waitFor();
  await type(page, 'echo "<$HOME>"', `<${system.home}>`);
  // A login shell, or an interactive one without these words, would have run /etc/profile or /etc/bash.bashrc.
  await type(page, 'echo "<$(tr "\\0" " " <"/proc/$$/cmdline")>"', '</bin/bash --noprofile --norc -i >');
  assert.equal(system.startUpFilesRan(), false);
  await page.context().close();
});

test('Ctrl-C ends everything it started and only that, and the next start knows the same account', async () => {
  const bystander = spawn('sleep', ['600']);
  const started = family(product.pid);
  assert.ok(started.length >= 5, 'make, the runner, the runtime, the agent and its shell');
  await product.stop();
  const left = started.filter(({ pid, started }) => started !== undefined && startTime(pid) === started);
  assert.deepEqual(left, []);
  assert.ok(bystander.exitCode === null && bystander.kill(), 'others were left alone');

  const { password, user } = product;
  product = await startProduct(state, system);
  assert.deepEqual([product.user, product.password], [user, password]);
  const page = await demo();
  await page.getByRole('button', { name: `Connect to ${os.hostname()}` }).waitFor();
  await page.context().close();
});
