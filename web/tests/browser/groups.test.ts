import { describe, it } from 'vitest';
import { signIn } from './browser';
import { edgePerTest } from './setup';

describe('groups', () => {
  const setup = edgePerTest();

  it('are made, and people and machines put into them', async () => {
    setup.edge.identity.addPerson({ username: 'grace' });
    setup.edge.add({ name: 'web-1' });
    const page = await setup.open();
    await signIn(page, '/admin/groups');
    await page.getByText('There are no groups yet.').waitFor();
    await page.getByRole('button', { name: 'Add group' }).click();
    await page.getByLabel('Name').fill('Operators');
    await page.getByRole('dialog').getByRole('button', { name: 'Add group' }).click();
    await page.getByRole('heading', { name: 'Operators' }).waitFor();
    await page.getByRole('button', { name: 'Add people' }).click();
    await page.getByLabel('Search people').fill('grace');
    await page.getByRole('dialog').getByText('ada', { exact: true }).waitFor({ state: 'detached' });
    await page.getByRole('checkbox', { name: 'grace' }).check();
    await page.getByRole('button', { name: 'Add 1' }).click();
    await page.getByTestId('member').getByText('grace').waitFor();
    await page.getByRole('button', { name: 'Add machines' }).click();
    await page.getByRole('checkbox', { name: 'web-1' }).check();
    await page.getByRole('button', { name: 'Add 1' }).click();
    await page.getByTestId('group-machine').waitFor();
    await page.getByRole('button', { name: 'Remove grace' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByText('Nobody is in this group yet.').waitFor();
  });
});
