import { describe, expect, it } from 'vitest';
import { signIn } from './browser';
import { edgePerTest } from './setup';

describe('the administration', () => {
  const setup = edgePerTest();

  it('is not shown to those who may do nothing in it', async () => {
    Object.assign(setup.edge.identity, { role: 'user', permissions: [] });
    const page = await setup.open();
    await signIn(page, '/admin/people');
    await page.getByText('This is for those who administer').waitFor();
    expect(await page.getByRole('link', { name: 'Admin' }).count()).toBe(0);
  });

  it('shows what a role allows, and only that', async () => {
    Object.assign(setup.edge.identity, { role: 'user', permissions: ['system.audit_log'] });
    setup.edge.identity.addEntry();
    const page = await setup.open();
    await signIn(page);
    await page.getByRole('link', { name: 'Admin' }).click();
    await page.getByTestId('entry').waitFor();
    expect(await page.getByRole('navigation', { name: 'Administration' }).getByRole('link').allTextContents()).toEqual([
      'Audit',
      'Commands',
    ]);
  });
});
