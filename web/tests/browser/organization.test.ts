import { describe, it } from 'vitest';
import { signIn } from './browser';
import { edgePerTest } from './setup';

describe('the organization', () => {
  const setup = edgePerTest();

  it('keeps the settings of the organization, with each error at its field', async () => {
    setup.edge.identity.mailWorks = false;
    const page = await setup.open();
    await signIn(page, '/admin/organization');
    await page.getByLabel('Who gets a code by mail').selectOption('Everybody');
    await page.getByLabel('Disable accounts unused for').fill('soon');
    await page.getByRole('button', { name: 'Save settings' }).click();
    await page.getByText('Must be a number of days, 0 to 3650.').waitFor();
    await page.getByLabel('Disable accounts unused for').fill('90');
    await page.getByRole('button', { name: 'Save settings' }).click();
    await page.getByText('Needs mail, which is not configured here.').waitFor();
    await page.getByLabel('Who gets a code by mail').selectOption('Nobody');
    await page.getByRole('button', { name: 'Save settings' }).click();
    await page.getByText('Saved.').waitFor();
  });
});
