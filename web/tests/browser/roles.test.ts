import { describe, expect, it } from 'vitest';
import { signIn } from './browser';
import { edgePerTest } from './setup';

describe('roles', () => {
  const setup = edgePerTest();

  it('are made of permissions by category', async () => {
    const page = await setup.open();
    await signIn(page, '/admin/roles');
    await page.getByText('Built in').waitFor();
    await page.getByRole('button', { name: 'Add role' }).click();
    await page.getByLabel('Name').fill('Recruiter');
    await page.getByRole('group', { name: 'users' }).getByLabel('Create Users').check();
    await page.getByRole('dialog').getByRole('button', { name: 'Add role' }).click();
    const role = page.getByTestId('role').filter({ hasText: 'Recruiter' });
    await role.getByText('create users').waitFor();
    await role.getByRole('button', { name: 'Edit Recruiter' }).click();
    expect(await page.getByLabel('Create Users').isChecked()).toBe(true);
    await page.keyboard.press('Escape');
    await role.getByRole('button', { name: 'Delete Recruiter' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete role' }).click();
    await role.waitFor({ state: 'detached' });
  });
});
