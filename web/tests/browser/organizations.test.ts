import { describe, expect, it } from 'vitest';
import { signIn } from './browser';
import { HOME, WORK } from './edge/administration';
import { edgePerTest } from './setup';

describe('organizations', () => {
  const setup = edgePerTest();

  it('are made, disabled and deleted by super administrators', async () => {
    Object.assign(setup.edge.identity, { role: 'super_admin', tenants: [HOME, WORK] });
    const page = await setup.open();
    await signIn(page, '/admin/organizations');
    await page.getByText('There are no organizations.').waitFor();
    await page.getByRole('button', { name: 'Add organization' }).click();
    await page.getByLabel('Name', { exact: true }).fill('Acme');
    await page.getByRole('dialog').getByRole('button', { name: 'Add organization' }).click();
    const act = async (item: string): Promise<void> => {
      await page.getByRole('button', { name: 'Actions for Acme' }).click();
      await page.getByRole('menuitem', { name: item }).click();
    };
    await act('Numbers');
    await page.getByText('2, 1 of them online').waitFor();
    await page.keyboard.press('Escape');
    await act('Disable');
    await page.getByRole('dialog').getByRole('button', { name: 'Disable' }).click();
    await page.getByTestId('organization').getByText('Disabled').waitFor();
    await act('Delete');
    const confirm = page.getByRole('dialog').getByRole('button', { name: 'Delete organization' });
    expect(await confirm.isDisabled()).toBe(true);
    await page.getByLabel('Type Acme to confirm').fill('Acme');
    await confirm.click();
    await page.getByText('There are no organizations.').waitFor();
  });
});
