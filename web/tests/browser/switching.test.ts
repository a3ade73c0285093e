import { describe, expect, it } from 'vitest';
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

  it('finds all of the menu in a window of middling width', async () => {
    const long = { ...HOME, tenant_name: 'An organization with a long name' };
    Object.assign(setup.edge.identity, { tenants: [long, WORK], here: long, role: 'super_admin' });
    const page = await setup.open({ viewport: { width: 1024, height: 700 } });
    await givePassword(page);
    await page.getByRole('link', { name: 'Admin' }).waitFor();
    await page.getByRole('button', { name: 'Organization' }).getByText('An organization').waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
    const header = page.locator('header');
    expect(await header.evaluate((element) => element.scrollWidth - element.clientWidth)).toBe(0);
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
