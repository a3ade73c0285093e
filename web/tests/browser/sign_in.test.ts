import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { givePassword, PATIENCE, signIn } from './browser';
import { HOME, WORK } from './edge/administration';
import { edgePerTest } from './setup';

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('signing in', () => {
  const setup = edgePerTest();
  const machines = (page: Page) => page.getByRole('heading', { name: 'Machines' });

  it('says in words that a password is wrong, and lets the right one in', async () => {
    const page = await setup.open();
    await page.goto('/machines');
    await page.getByLabel('Email or username').fill('ada');
    await page.getByLabel('Password').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('This email or username and this password do not match.').waitFor();
    await page.getByLabel('Password').fill('correct horse');
    await page.getByLabel('Password').press('Enter');
    await page.getByRole('heading', { name: 'Machines' }).waitFor();
  });

  it('asks for the code of the mail, and says how often it may be tried', async () => {
    setup.edge.identity.steps = ['code'];
    const page = await setup.open();
    await givePassword(page);
    await page.getByText('It is valid for 10 minutes.').waitFor();
    const code = page.getByLabel('Code from the mail');
    expect(await code.evaluate((input) => input === document.activeElement)).toBe(true);
    await code.fill('000000');
    await code.press('Enter');
    await page.getByText('You can try 2 more times.').waitFor();
    await code.fill('123 456');
    expect(await code.inputValue()).toBe('123456');
    await code.press('Enter');
    await machines(page).waitFor();
  });

  it('offers a new code once the tries are over', async () => {
    setup.edge.identity.steps = ['code'];
    const page = await setup.open();
    await givePassword(page);
    for (const left of ['You can try 2 more times.', 'You can try once more.', 'It cannot be tried again.']) {
      await page.getByLabel('Code from the mail').fill('000000');
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.getByText(left).waitFor();
    }
    await page.getByRole('button', { name: 'Sign in again for a new code' }).click();
    await page.getByLabel('Password').waitFor();
  });

  it('lets a person choose an organization, and a second factor follows', async () => {
    Object.assign(setup.edge.identity, { tenants: [HOME, WORK], steps: ['tenant', 'factor'] });
    const page = await setup.open();
    await givePassword(page);
    await page.getByRole('button', { name: 'Acme Corporation' }).click();
    await page.getByLabel('Code from your authenticator').fill('111111');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('Invalid or expired code.').waitFor();
    await page.getByLabel('Code from your authenticator').fill('654321');
    await page.getByRole('button', { name: 'Continue' }).click();
    await machines(page).waitFor();
    await page.getByRole('button', { name: 'Organization' }).getByText('Acme Corporation').waitFor();
  });

  it('takes a recovery code in place of the authenticator', async () => {
    setup.edge.identity.steps = ['factor'];
    const page = await setup.open();
    await givePassword(page);
    await page.getByRole('button', { name: 'Use a recovery code' }).click();
    await page.getByLabel('Recovery code').fill('abcd-efgh');
    await page.getByLabel('Recovery code').press('Enter');
    await machines(page).waitFor();
  });

  it('offers the providers that there are', async () => {
    setup.edge.identity.providers = { github_enabled: true, oidc_enabled: true, oidc_name: 'Acme Login' };
    const page = await setup.open();
    await page.goto('/sign-in');
    expect(await page.getByRole('link', { name: 'Continue with GitHub' }).getAttribute('href')).toBe(
      '/api/auth/oidc/github',
    );
    await page.getByRole('link', { name: 'Continue with Acme Login' }).waitFor();
    expect(await page.getByRole('link', { name: 'Continue with Microsoft' }).count()).toBe(0);
  });

  it('takes what a provider brings, and leaves none of it in the address', async () => {
    const page = await setup.open();
    setup.edge.identity.providers = { github_enabled: true };
    await page.goto('/sign-in');
    await page.getByRole('link', { name: 'Continue with GitHub' }).click();
    await machines(page).waitFor();
    expect(new URL(page.url()).hash).toBe('');
    await page.goBack();
    expect(page.url()).not.toContain('token');
  });

  it('asks before it takes a sign-in that was not started here', async () => {
    const page = await setup.open();
    const { token } = setup.edge.identity.signIn();
    await page.goto(`/oauth/callback#token=${String(token)}`);
    await page.getByText('This sign-in was not started in this browser tab.').waitFor();
    await page.getByRole('button', { name: 'Go on' }).click();
    await machines(page).waitFor();
  });

  it('lets a person choose an organization after a provider', async () => {
    setup.edge.identity.tenants = [HOME, WORK];
    const page = await setup.open();
    await page.goto(`/oauth/callback#session_token=proof&requires_selection=true&tenants=${base64url([HOME, WORK])}`);
    await page.getByRole('button', { name: 'Acme Corporation' }).click();
    await machines(page).waitFor();
  });

  it('says why a provider did not let somebody in', async () => {
    const page = await setup.open();
    await page.goto('/oauth/callback?error=No%20account%20found%20for%20this%20email.%20Please%20sign%20up%20first.');
    await page.getByText('No account found for this email.').waitFor();
    await page.getByRole('link', { name: 'To the sign-in page' }).click();
    await page.getByLabel('Password').waitFor();
  });

  it('lasts over a reload, in all tabs, until it ends in all', async () => {
    const page = await setup.open();
    await signIn(page);
    await page.reload();
    await page.getByRole('button', { name: 'Account' }).waitFor();
    const second = await page.context().newPage();
    await second.goto('/machines');
    await second.getByRole('heading', { name: 'Machines' }).waitFor();
    await page.getByRole('button', { name: 'Account' }).click();
    await page.getByTestId('who-am-i').getByText('ada@example.com').waitFor();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await second.getByRole('heading', { name: 'Sign in' }).waitFor();
  });

  it('says why it was withdrawn, and returns to the page afterwards', async () => {
    const page = await setup.open();
    const { agent_id } = setup.edge.add({ name: 'web-1' });
    await signIn(page, `/machines/${agent_id}`);
    await page.getByRole('heading', { name: 'web-1' }).waitFor();
    setup.edge.tokens.clear();
    await page.getByText('Your sign-in is no longer valid').waitFor();
    await page.getByLabel('Email or username').fill('ada');
    await page.getByLabel('Password').fill('correct horse');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'web-1' }).waitFor();
  });

  it('ends on the server, too', async () => {
    const page = await setup.open();
    await givePassword(page);
    await page.getByRole('button', { name: 'Account' }).click();
    const answer = page.waitForResponse('**/api/auth/logout');
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    expect((await answer).status()).toBe(200);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(await page.context().cookies()).toEqual([]);
  });

  it('ends on the server once it can be reached, if it could not', async () => {
    const page = await setup.open();
    await givePassword(page);
    await page.getByRole('button', { name: 'Account' }).click();
    setup.edge.broken = 503;
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(await page.context().cookies()).toHaveLength(1);
    setup.edge.broken = null;
    await page.reload();
    await expect.poll(() => page.context().cookies(), { timeout: PATIENCE }).toEqual([]);
  });

  it('leaves nothing where script can read it that signs in', async () => {
    const page = await setup.open();
    await givePassword(page);
    await machines(page).waitFor();
    const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
    for (const token of setup.edge.tokens) expect(kept).not.toContain(token);
    expect(kept).not.toContain('proof');
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ name: 'vsay-session', httpOnly: true, sameSite: 'Strict' });
  });
});
