import { describe, it } from 'vitest';
import { givePassword } from './browser';
import { HOME, WORK } from './edge/administration';
import { edgePerTest } from './setup';

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
    await page.route('**/api/auth/select-tenant', (route) =>
      route.fulfill({ status: 401, json: { error: 'Invalid or expired session' } }),
    );
    await page.getByRole('menuitem', { name: 'Acme Corporation' }).click();
    await page.getByText('You signed in too long ago to switch.').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('heading', { name: 'Machines' }).waitFor();
  });
});
