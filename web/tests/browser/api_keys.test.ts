import { describe, expect, it } from 'vitest';
import { signIn } from './browser';
import { edgePerTest } from './setup';

describe('API keys', () => {
  const setup = edgePerTest();

  it('are made, shown once, and revoked', async () => {
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
});
