import { describe, expect, it } from 'vitest';
import { signIn } from './browser';
import { edgePerTest } from './setup';

describe('the people of the organization', () => {
  const setup = edgePerTest();

  it('says in words that a list cannot be fetched', async () => {
    const page = await setup.open();
    await page.route('**/api/users?*', (route) => route.abort());
    await signIn(page, '/admin/people');
    await page.getByText('The server cannot be reached.').waitFor();
  });

  it('invites somebody, and gives the link where no mail can be sent', async () => {
    setup.edge.identity.mailWorks = false;
    const page = await setup.open();
    await signIn(page, '/admin/people');
    await page.getByRole('button', { name: 'Add person' }).click();
    await page.getByLabel('Email').fill('grace@example.com');
    await page.getByLabel('Username').fill('ada');
    await page.getByRole('button', { name: 'Invite' }).click();
    await page.getByText('Is taken.').waitFor();
    await page.getByLabel('Username').fill('grace');
    await page.getByRole('button', { name: 'Invite' }).click();
    await page.getByText('No mail could be sent from here.').waitFor();
    expect(await page.getByTestId('command').textContent()).toBe(`${new URL(page.url()).origin}/accept-invite/good`);
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByTestId('person').filter({ hasText: 'grace' }).getByText('Invited').waitFor();
  });

  it('finds people, page by page', async () => {
    for (let i = 0; i < 30; i++) setup.edge.identity.addPerson({});
    const page = await setup.open();
    await signIn(page, '/admin/people');
    await page.getByText('1–25 of 31').waitFor();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('26–31 of 31').waitFor();
    expect(
      await page
        .getByTestId('person')
        .first()
        .evaluate((row) => row.getBoundingClientRect().top),
    ).toBeGreaterThanOrEqual(0);
    await page.getByLabel('Search people').fill('person-7');
    await page.getByText('person-7@').waitFor();
    expect(await page.getByTestId('person').count()).toBe(1);
    await page.getByLabel('Search people').fill('mainframe');
    await page.getByText('Nobody matches “mainframe”.').waitFor();
  });

  it('changes only what was changed of somebody, and says why it may not be', async () => {
    setup.edge.identity.addPerson({ username: 'grace' });
    setup.edge.identity.roles.push({ id: 2, name: 'Auditor', description: '', permission_ids: [15], user_count: 0 });
    const page = await setup.open();
    await signIn(page, '/admin/people');
    await page.getByRole('button', { name: 'Actions for grace' }).click();
    await page.getByRole('menuitem', { name: 'Edit' }).click();
    await page.getByLabel('On machines').selectOption('May use sudo');
    await page.getByLabel('Auditor').check();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByTestId('person').filter({ hasText: 'grace' }).getByText('Auditor').waitFor();
    const changes = setup.edge.identity.said.filter(({ route }) => route.startsWith('PUT /api/users/'));
    expect(changes.map(({ body }) => body)).toEqual([
      { machine_role: 'allow_sudo' },
      { role_ids: [2], portal_role: 'user' },
    ]);

    await page.getByRole('button', { name: 'Actions for ada' }).click();
    await page.getByRole('menuitem', { name: 'Edit' }).click();
    await page.getByLabel('Role', { exact: true }).selectOption('Member');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('The organization needs an administrator.').waitFor();
  });

  it('gives somebody a new password, which has to be long enough', async () => {
    setup.edge.identity.addPerson({ username: 'grace' });
    const page = await setup.open();
    await signIn(page, '/admin/people');
    await page.getByRole('button', { name: 'Actions for grace' }).click();
    await page.getByRole('menuitem', { name: 'Give a new password' }).click();
    await page.getByRole('textbox', { name: 'New password' }).fill('short');
    await page.getByRole('button', { name: 'Set password' }).click();
    await page.getByText('must have 8 to 1024 characters').waitFor();
    await page.getByRole('textbox', { name: 'New password' }).fill('correct horse');
    await page.getByRole('button', { name: 'Set password' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Actions for ada' }).click();
    expect(await page.getByRole('menuitem', { name: 'Give a new password' }).count()).toBe(0);
  });

  it('takes the administration from somebody who gets a role in its place', async () => {
    setup.edge.identity.addPerson({ username: 'grace', role: 'company_admin', roles: [{ id: 1, name: 'super-admin' }] });
    setup.edge.identity.roles.push({ id: 2, name: 'Auditor', description: '', permission_ids: [15], user_count: 0 });
    const page = await setup.open();
    await signIn(page, '/admin/people');
    const grace = page.getByTestId('person').filter({ hasText: 'grace' });
    await grace.getByText('Admin', { exact: true }).waitFor();
    expect(await grace.getByText('super-admin').count()).toBe(0);
    const edit = page.getByRole('button', { name: 'Actions for grace' });
    await edit.click();
    await page.getByRole('menuitem', { name: 'Edit' }).click();
    await page.getByLabel('Role', { exact: true }).selectOption('Member');
    await page.getByLabel('Auditor').check();
    await page.getByRole('button', { name: 'Save' }).click();
    await grace.getByText('Auditor').waitFor();
    expect(setup.edge.identity.people[1]).toMatchObject({ role: 'user', roles: [{ id: 2 }] });
    // Whoever uses the keyboard goes on where they were.
    expect(await edit.evaluate((button) => button === document.activeElement)).toBe(true);
  });

  it('removes somebody after a question', async () => {
    setup.edge.identity.addPerson({ username: 'grace' });
    const page = await setup.open();
    await signIn(page, '/admin/people');
    await page.getByRole('button', { name: 'Actions for grace' }).click();
    await page.getByRole('menuitem', { name: 'Remove' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    expect(setup.edge.identity.people).toHaveLength(2);
    await page.getByRole('button', { name: 'Actions for grace' }).click();
    await page.getByRole('menuitem', { name: 'Remove' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByTestId('person').filter({ hasText: 'grace' }).waitFor({ state: 'detached' });
  });
});
