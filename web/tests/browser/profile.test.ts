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

describe('the profile', () => {
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
      route.request().url().endsWith('/me.svg')
        ? route.fulfill({ contentType: 'image/svg+xml', body: picture })
        : route.abort(),
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
    await expect
      .poll(() => shown.evaluate((img: HTMLImageElement) => [img.naturalWidth, img.naturalHeight]))
      .toEqual([256, 256]);
    expect(await take.isDisabled()).toBe(true);

    await page.getByRole('button', { name: 'Remove' }).click();
    await page.getByText('Removed.').waitFor();
    expect(await shown.count()).toBe(0);
    expect(await main.count()).toBe(0);
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
