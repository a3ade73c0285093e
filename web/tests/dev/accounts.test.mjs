// What people are promised, with everything real: a letter with an invitation lets somebody in, a second factor is asked for
// once it is on, and whoever is disabled is out at once, open terminal and all.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { makeSystem } from '../system.ts';
import { launchBrowser, linkInMail, openPage, signIn, startProduct, type } from './product.mjs';

const GRACE = { user: 'grace', email: 'grace@example.com', password: 'nanoseconds of wire' };
/** Seconds that a code of an authenticator stands for (RFC 6238). */
const STEP = 30;

let state;
let system;
let browser;
let product;
/** The administrator's window, and hers. */
let demo;
let grace;

before(async () => {
  system = makeSystem();
  state = await mkdtemp(path.join(os.tmpdir(), 'vsay-edge-'));
  browser = await launchBrowser();
  product = await startProduct(state, system);
  demo = await openPage(browser, product.url);
  await signIn(demo, product);
  grace = await openPage(browser, product.url);
});

after(async () => {
  await browser?.close();
  await product?.stop();
  await rm(state, { recursive: true, force: true });
  system?.remove();
});

/** What an authenticator shows, some steps from now. */
function authenticatorCode(secret, steps) {
  const bits = [...secret]
    .map((char) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(char).toString(2).padStart(5, '0'))
    .join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 1000 / STEP) + steps));
  const digest = createHmac('sha1', key).update(counter).digest();
  const number = digest.readUInt32BE(digest.at(-1) & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

async function signOut(page) {
  await page.getByRole('button', { name: 'Account' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
}

function isIn(page) {
  return page.getByRole('heading', { name: 'Machines', exact: true }).waitFor();
}

test('somebody who is invited by mail accepts with the link in it, and signs in with the password chosen there', async () => {
  await demo.getByRole('link', { name: 'Admin' }).click();
  await demo.getByRole('button', { name: 'Add person' }).click();
  await demo.getByLabel('Email').fill(GRACE.email);
  await demo.getByLabel('Username').fill(GRACE.user);
  await demo.getByRole('button', { name: 'Invite' }).click();
  await demo.getByText('A mail with this link is on its way.').waitFor();
  await demo.getByRole('button', { name: 'Done' }).click();

  const link = await linkInMail(state, GRACE.email, 'accept-invite');
  await grace.goto(link);
  await grace.getByLabel('New password', { exact: true }).fill(GRACE.password);
  await grace.getByLabel('New password again').fill(GRACE.password);
  await grace.getByRole('button', { name: 'Accept the invitation' }).click();
  await isIn(grace);
  await signOut(grace);
  await signIn(grace, GRACE);
  await isIn(grace);

  const late = await openPage(browser, product.url);
  await late.goto(link);
  await late.getByLabel('New password', { exact: true }).fill('somebody else entirely');
  await late.getByLabel('New password again').fill('somebody else entirely');
  await late.getByRole('button', { name: 'Accept the invitation' }).click();
  await late.getByText('This link does not work any more').waitFor();
  await late.context().close();
});

test('a second factor that was turned on is asked for at the next sign-in', async () => {
  await grace.goto('/account/security');
  await grace.getByRole('button', { name: 'Turn on' }).click();
  await grace.getByText('Cannot scan it?').click();
  const secret = (await grace.getByTestId('command').textContent()).replaceAll(' ', '');
  // No code counts twice: this is the one before the one for signing in.
  await grace.getByLabel('Code from the app').fill(authenticatorCode(secret, -1));
  await grace.getByRole('dialog').getByRole('button', { name: 'Turn on' }).click();
  await grace.getByRole('button', { name: 'I have kept them' }).click();
  await grace.getByText('10 recovery codes are left.').waitFor();
  await signOut(grace);

  await signIn(grace, GRACE);
  const code = grace.getByLabel('Code from your authenticator');
  await code.fill('000000');
  await code.press('Enter');
  await grace.getByRole('alert').waitFor();
  await code.fill(authenticatorCode(secret, 0));
  await code.press('Enter');
  await isIn(grace);
});

test('somebody who is disabled is out at once, while a terminal is open', async () => {
  const machine = os.hostname();
  await demo.goto('/machines');
  await demo.getByRole('link', { name: machine }).click();
  await demo.getByRole('button', { name: 'Grant access' }).click();
  await demo.getByLabel('Username').fill(GRACE.user);
  // Where everything runs as root, nobody gets a shell without its rights.
  await demo.getByLabel('Sudo').selectOption('May use sudo');
  await demo.getByRole('dialog').getByRole('button', { name: 'Grant access' }).click();
  await demo.getByRole('button', { name: `Revoke access of ${GRACE.user}` }).waitFor();

  await grace.getByRole('button', { name: `Connect to ${machine}` }).click();
  const terminal = grace.getByTestId('terminal');
  await grace.getByText('Connected', { exact: true }).waitFor();
  await type(grace, 'echo $((6*7))', '\n42\n');

  await demo.goto('/admin/people');
  await demo.getByRole('button', { name: `Actions for ${GRACE.user}` }).click();
  await demo.getByRole('menuitem', { name: 'Edit' }).click();
  await demo.getByLabel('May sign in').uncheck();
  await demo.getByRole('button', { name: 'Save' }).click();
  await demo.getByTestId('person').filter({ hasText: GRACE.user }).getByText('Disabled').waitFor();

  await grace.getByRole('heading', { name: 'Sign in' }).waitFor();
  assert.equal(await terminal.count(), 0);
  await signIn(grace, GRACE);
  await grace.getByRole('alert').waitFor();
  await demo.context().close();
  await grace.context().close();
});
