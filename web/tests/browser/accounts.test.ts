import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { givePassword, signIn } from './browser';
import { edgePerTest } from './setup';

describe('an account', () => {
  const setup = edgePerTest();
  const machines = (page: Page) => page.getByRole('heading', { name: 'Machines' });

  it('says at the form that the present password is wrong', async () => {
    const page = await setup.open();
    await signIn(page, '/account/security');
    const change = async (current: string): Promise<void> => {
      await page.getByLabel('Current password').fill(current);
      await page.getByLabel('New password', { exact: true }).fill('battery staple');
      await page.getByLabel('New password again').fill('battery staple');
      await page.getByRole('button', { name: 'Change password' }).click();
    };
    await change('wrong');
    await page.getByText('Current password is incorrect.').waitFor();
    await change('correct horse');
    await page.getByText('Your password is changed.').waitFor();
    expect(await page.getByLabel('Current password').inputValue()).toBe('');
  });

  it('turns the second factor on, shows the recovery codes once, and turns it off', async () => {
    const page = await setup.open();
    await signIn(page, '/account/security');
    await page.getByRole('button', { name: 'Turn on' }).click();
    const dialog = page.getByRole('dialog');
    expect(
      await dialog.getByRole('img').evaluate((img: HTMLImageElement) => img.decode().then(() => img.naturalWidth > 0)),
    ).toBe(true);
    await dialog.getByText('Cannot scan it?').click();
    await dialog.getByText('JBSW Y3DP EHPK 3PXP').waitFor();
    await dialog.getByLabel('Code from the app').fill('111111');
    await dialog.getByRole('button', { name: 'Turn on' }).click();
    await dialog.getByText('Is not the code of this moment.').waitFor();
    await dialog.getByLabel('Code from the app').fill('654321');
    await dialog.getByRole('button', { name: 'Turn on' }).click();
    await page.getByRole('heading', { name: 'Keep your recovery codes' }).waitFor();
    // Neither a key nor a press beside them loses them.
    await page.keyboard.press('Escape');
    await page.mouse.click(5, 5);
    await page.getByRole('button', { name: 'Copy the codes' }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('abcd-efgh\nijkl-mnop');
    const file = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download' }).click();
    expect((await file).suggestedFilename()).toBe('vsay-edge-recovery-codes.txt');
    await page.getByRole('button', { name: 'I have kept them' }).click();
    await page.getByText('10 recovery codes are left.').waitFor();
    await page.getByRole('button', { name: 'Turn off' }).click();
    await dialog.getByLabel('Your password, or a code').fill('correct horse');
    await dialog.getByRole('button', { name: 'Turn off' }).click();
    await page.getByRole('button', { name: 'Turn on' }).waitFor();
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
});

describe('the first account', () => {
  const setup = edgePerTest();
  const machines = (page: Page) => page.getByRole('heading', { name: 'Machines' });

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
    expect(setup.edge.identity.said.find(({ route }) => route.includes('invite'))?.body).toEqual({
      password: 'correct horse',
      display_name: 'Ada L.',
    });
  });

  it('confirm a mail address', async () => {
    const page = await setup.open();
    await page.goto('/verify-email/good');
    await page.getByText('your mail address is confirmed').waitFor();
    await page.goto('/verify-email/used');
    await page.getByText('This link does not work any more').waitFor();
  });
});
