import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { signIn } from './browser';
import { edgePerTest } from './setup';

/** A PNG file of a size. */
async function drawing(page: Page, width: number, height: number): Promise<Buffer> {
  const url = await page.evaluate(
    (size) => {
      const canvas = Object.assign(document.createElement('canvas'), size);
      canvas.getContext('2d')?.fillRect(0, 0, 10, 10);
      return canvas.toDataURL();
    },
    { width, height },
  );
  return Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');
}

describe('the account page', () => {
  const setup = edgePerTest();

  it('changes the name that others see', async () => {
    const page = await setup.open();
    await signIn(page, '/account');
    await page.getByLabel('Display name').fill('Ada Lovelace');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved.').waitFor();
    await page.getByRole('button', { name: 'Account' }).click();
    await page.getByTestId('who-am-i').getByText('Ada Lovelace').waitFor();
  });

  it('shows a picture before it is taken, and then beside the name', async () => {
    const page = await setup.open();
    const picture = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1H0z"/></svg>';
    await page.route('https://pictures.example/**', (route) =>
      route.request().url().endsWith('/me.svg') ? route.fulfill({ contentType: 'image/svg+xml', body: picture }) : route.abort(),
    );
    await signIn(page, '/account');
    await page.getByText('Or by address').click();
    const address = page.getByLabel('Address of a picture');
    const take = page.getByRole('button', { name: 'Use this picture' });
    await address.fill('http://pictures.example/me.svg');
    expect(await take.isDisabled()).toBe(true);
    await address.fill('https://pictures.example/none.svg');
    await page.getByText('No picture was found there.').waitFor();
    expect(await take.isDisabled()).toBe(true);
    await address.fill('https://pictures.example/me.svg');
    await take.click();
    await page.getByText('Saved.').waitFor();
    const shown = page.getByRole('button', { name: 'Account' }).locator('img');
    await expect.poll(() => shown.evaluate((img: HTMLImageElement) => img.naturalWidth > 0)).toBe(true);
    expect(await shown.getAttribute('src')).toBe('https://pictures.example/me.svg');
  });

  it('takes a picture from the disk, as small as it is shown, and removes it again', async () => {
    const page = await setup.open();
    await signIn(page, '/account');
    const take = page.getByRole('button', { name: 'Use this picture' });
    const choose = async (name: string, mimeType: string, buffer: Buffer): Promise<void> => {
      const chooser = page.waitForEvent('filechooser');
      await page.getByRole('button', { name: 'Choose a picture' }).click();
      await (await chooser).setFiles({ name, mimeType, buffer });
    };
    await choose('notes.txt', 'text/plain', Buffer.from('no picture'));
    await page.getByText('cannot read that file as a picture').waitFor();
    expect(await take.isDisabled()).toBe(true);

    await choose('me.png', 'image/png', await drawing(page, 900, 600));
    const main = page.getByRole('main').locator('img');
    await expect.poll(() => main.getAttribute('src')).toMatch(/^data:image\/webp;/);
    expect(setup.edge.identity.avatars.size, 'nothing is sent before it is taken').toBe(0);
    await take.click();
    await page.getByText('Saved.').waitFor();
    const [[path, sent]] = [...setup.edge.identity.avatars] as [[string, File]];
    expect(sent.type).toBe('image/webp');
    const shown = page.getByRole('button', { name: 'Account' }).locator('img');
    expect(await shown.getAttribute('src')).toBe(path);
    await expect.poll(() => shown.evaluate((img: HTMLImageElement) => [img.naturalWidth, img.naturalHeight])).toEqual([256, 256]);
    expect(await take.isDisabled()).toBe(true);

    await page.getByRole('button', { name: 'Remove' }).click();
    await page.getByText('Removed.').waitFor();
    expect(await shown.count()).toBe(0);
    expect(await main.count()).toBe(0);
  });

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
    expect(await dialog.getByRole('img').evaluate((img: HTMLImageElement) => img.decode().then(() => img.naturalWidth > 0))).toBe(true);
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

  it('makes a key, shows it once, and revokes it', async () => {
    const page = await setup.open();
    await signIn(page, '/account/keys');
    await page.getByText('You have no keys.').waitFor();
    await page.getByRole('button', { name: 'New key' }).click();
    await page.getByLabel('Name').fill('Backup');
    await page.getByLabel('It may').selectOption('Reading only');
    await page.getByRole('button', { name: 'Make key' }).click();
    await page.getByRole('button', { name: 'Copy the key' }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/^vsay_[0-9a-f]{48}$/);
    await page.getByRole('button', { name: 'I have copied it' }).click();
    const row = page.getByRole('list', { name: 'API keys' }).getByRole('listitem');
    await row.getByText('Reading only').waitFor();
    await row.getByRole('button', { name: 'Revoke Backup' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke key' }).click();
    await page.getByText('You have no keys.').waitFor();
  });

  it('shows the account key when asked, and asks before it is replaced', async () => {
    const page = await setup.open();
    await signIn(page, '/account/keys');
    await page.getByRole('button', { name: 'Show' }).click();
    await page.getByText('vsay_ak_first').waitFor();
    await page.getByRole('button', { name: 'Replace' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Replace key' }).click();
    await page.getByText('vsay_ak_second').waitFor();
  });

  it('makes an SSH key and shows its private half once', async () => {
    const page = await setup.open();
    await signIn(page, '/account/keys');
    await page.getByRole('button', { name: 'Make a key pair' }).click();
    await page.getByText('BEGIN OPENSSH PRIVATE KEY').waitFor();
    await page.getByRole('button', { name: 'I have kept it' }).click();
    await page.getByText('ssh-ed25519 AAAA').waitFor();
    expect(await page.getByText('BEGIN OPENSSH PRIVATE KEY').count()).toBe(0);
  });
});
