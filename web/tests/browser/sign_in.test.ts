import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { HOME, WORK } from './edge/administration';
import { edgePerTest } from './setup';

async function givePassword(page: Page): Promise<void> {
  await page.goto('/machines');
  await page.getByLabel('Email or username').fill('ada@example.com');
  await page.getByLabel('Password').fill('correct horse');
  await page.getByRole('button', { name: 'Sign in' }).click();
}

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('signing in', () => {
  const setup = edgePerTest();
  const machines = (page: Page) => page.getByRole('heading', { name: 'Machines' });

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

  it('asks for a password of one’s own where somebody else chose it, also after a reload', async () => {
    setup.edge.identity.mustChangePassword = true;
    const page = await setup.open();
    await givePassword(page);
    await page.getByRole('heading', { name: 'Choose your own password' }).waitFor();
    await page.reload();
    await page.getByLabel('New password', { exact: true }).fill('battery staple');
    await page.getByLabel('New password again').fill('battery stable');
    await page.getByRole('button', { name: 'Change password' }).click();
    await page.getByText('The two are not the same.').waitFor();
    await page.getByLabel('New password again').fill('battery staple');
    await page.getByRole('button', { name: 'Change password' }).click();
    await machines(page).waitFor();
  });

  it('asks for a new password as soon as the server wants one, whatever page is open', async () => {
    const page = await setup.open();
    await givePassword(page);
    await machines(page).waitFor();
    setup.edge.identity.mustChangePassword = true;
    await page.getByRole('link', { name: 'Admin' }).click();
    await page.getByRole('heading', { name: 'Choose your own password' }).waitFor();
    await page.getByLabel('New password', { exact: true }).fill('battery staple');
    await page.getByLabel('New password again').fill('battery staple');
    await page.keyboard.press('Enter');
    await page.getByTestId('person').first().waitFor();
  });

  it('can be done with the keyboard alone, which goes to what is wrong', async () => {
    const page = await setup.open();
    await page.goto('/sign-up');
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute('name'));
    await expect.poll(focused).toBe('username');
    for (const text of ['x', 'ada@example.com', 'correct horse']) {
      await page.keyboard.type(text);
      if (text !== 'correct horse') await page.keyboard.press('Tab');
    }
    await page.keyboard.press('Enter');
    await page.getByText('Must have 3 to 50 characters.').waitFor();
    await expect.poll(focused).toBe('username');
    await page.keyboard.press('End');
    await page.keyboard.type('yz');
    await page.keyboard.press('Enter');
    await machines(page).waitFor();
  });

  it('offers the providers that there are', async () => {
    setup.edge.identity.providers = { github_enabled: true, oidc_enabled: true, oidc_name: 'Acme Login' };
    const page = await setup.open();
    await page.goto('/sign-in');
    expect(await page.getByRole('link', { name: 'Continue with GitHub' }).getAttribute('href')).toBe('/api/auth/oidc/github');
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

  it('begins with setting the server up where nobody has an account', async () => {
    setup.edge.identity.setupRequired = true;
    const page = await setup.open();
    await page.goto('/');
    await page.getByRole('heading', { name: 'Set up this server' }).waitFor();
    await page.getByLabel('Username').fill('root');
    await page.getByLabel('New password', { exact: true }).fill('correct horse');
    await page.getByLabel('New password again').fill('correct horse');
    await page.getByRole('button', { name: 'Make the first account' }).click();
    await machines(page).waitFor();
  });

  it('sends whoever comes to set it up a second time to the sign-in page', async () => {
    const page = await setup.open();
    await page.goto('/setup');
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  });

  it('ends on the server, too', async () => {
    const page = await setup.open();
    await givePassword(page);
    await page.getByRole('button', { name: 'Account' }).click();
    const request = page.waitForRequest('**/api/auth/logout');
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    expect((await request).headers().authorization).toBe('Bearer token-1');
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  });
});

describe('links of mails', () => {
  const setup = edgePerTest();

  it('lead to a new password, by the present address and the earlier one', async () => {
    const page = await setup.open();
    await page.goto('/#reset-password-good');
    expect(new URL(page.url()).pathname).toBe('/reset-password/good');
    await page.getByLabel('New password', { exact: true }).fill('correct horse');
    await page.getByLabel('New password again').fill('correct horse');
    await page.getByRole('button', { name: 'Change password' }).click();
    await page.getByText('Sign in with it now.').waitFor();
  });

  it('say in words when they are used up', async () => {
    const page = await setup.open();
    await page.goto('/reset-password/used');
    await page.getByLabel('New password', { exact: true }).fill('correct horse');
    await page.getByLabel('New password again').fill('correct horse');
    await page.getByRole('button', { name: 'Change password' }).click();
    await page.getByText('This link does not work any more').waitFor();
    await page.getByRole('link', { name: 'Ask for a new one' }).click();
    await page.getByLabel('Email').fill('ada@example.com');
    await page.getByRole('button', { name: 'Send the link' }).click();
    await page.getByText('If there is an account with ada@example.com').waitFor();
  });

  it('let in who was invited', async () => {
    const page = await setup.open();
    await page.goto('/#accept-invite-good');
    await page.getByLabel('Your name').fill('Ada L.');
    await page.getByLabel('New password', { exact: true }).fill('correct horse');
    await page.getByLabel('New password again').fill('correct horse');
    await page.getByRole('button', { name: 'Accept the invitation' }).click();
    await page.getByRole('heading', { name: 'Machines' }).waitFor();
    expect(setup.edge.identity.said.find(({ route }) => route.includes('invite'))?.body).toEqual({ password: 'correct horse', display_name: 'Ada L.' });
  });

  it('confirm a mail address', async () => {
    const page = await setup.open();
    await page.goto('/verify-email/good');
    await page.getByText('your mail address is confirmed').waitFor();
    await page.goto('/verify-email/used');
    await page.getByText('This link does not work any more').waitFor();
  });
});

describe('somebody with several organizations', () => {
  const setup = edgePerTest();

  it('switches between them without a password', async () => {
    Object.assign(setup.edge.identity, { tenants: [HOME, WORK], steps: ['tenant'] });
    const page = await setup.open();
    await givePassword(page);
    await page.getByRole('button', { name: /machines/ }).click();
    await page.getByRole('button', { name: 'Organization' }).click();
    setup.edge.identity.steps = ['code'];
    await page.getByRole('menuitem', { name: 'Acme Corporation' }).click();
    await page.getByLabel('Code from the mail').fill('123456');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('button', { name: 'Organization' }).getByText('Acme Corporation').waitFor();
  });

  it('stays signed in when it is too late to switch', async () => {
    Object.assign(setup.edge.identity, { tenants: [HOME, WORK] });
    const page = await setup.open();
    await givePassword(page);
    await page.getByRole('button', { name: 'Organization' }).click();
    await page.route('**/api/auth/select-tenant', (route) => route.fulfill({ status: 401, json: { error: 'Invalid or expired session' } }));
    await page.getByRole('menuitem', { name: 'Acme Corporation' }).click();
    await page.getByText('You signed in too long ago to switch.').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('heading', { name: 'Machines' }).waitFor();
  });
});
