import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { signIn } from './browser';
import { HOME, WORK } from './edge/administration';
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
    expect(await page.getByRole('navigation', { name: 'Administration' }).getByRole('link').allTextContents()).toEqual(['Audit']);
  });

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
    expect(await page.getByTestId('person').first().evaluate((row) => row.getBoundingClientRect().top)).toBeGreaterThanOrEqual(0);
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
    expect(changes.map(({ body }) => body)).toEqual([{ machine_role: 'allow_sudo' }, { role_ids: [2], portal_role: 'user' }]);

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

  it('makes a group, and puts people and machines into it', async () => {
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

  it('makes a role of permissions by category', async () => {
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

  it('filters the audit log, shows an entry, exports what is shown', async () => {
    const { identity } = setup.edge;
    identity.addEntry();
    identity.addEntry({ action: 'role_changed', severity: 'critical', details: { old: 'user', new: 'company_admin' } });
    const page = await setup.open();
    await signIn(page, '/admin/audit');
    await page.getByLabel('Action', { exact: true }).selectOption('changed a person’s role');
    await page.getByTestId('entry').filter({ hasText: 'signed in' }).waitFor({ state: 'detached' });
    await page.getByTestId('entry').getByText('Critical').waitFor();
    await page.getByTestId('entry').getByRole('button').click();
    await page.getByRole('dialog').getByText('"new": "company_admin"').waitFor();
    await page.keyboard.press('Escape');
    const file = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Export' }).click();
    await page.getByRole('menuitem', { name: 'As CSV, as filtered' }).click();
    const saved = await file;
    expect(saved.suggestedFilename()).toBe('audit.csv');
    expect(JSON.parse(readFileSync(await saved.path(), 'utf8'))).toEqual({ format: 'csv', action: 'role_changed' });
  });

  it('says in words whether the chain of the log holds', async () => {
    const page = await setup.open();
    await signIn(page, '/admin/audit');
    await page.getByRole('button', { name: 'Verify chain' }).click();
    await page.getByTestId('verdict').getByText('1,234 entries checked.').waitFor();
    Object.assign(setup.edge.identity.chain, { valid: false, entries: 6, broken_at: { id: 'e7', int_id: 7, reason: 'It does not match its seal' } });
    await page.getByRole('button', { name: 'Verify chain' }).click();
    await page.getByRole('alert').getByText('Entry 7: It does not match its seal.').waitFor();
  });

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

  it('lets super administrators make, disable and delete organizations', async () => {
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

describe('access to a machine', () => {
  const setup = edgePerTest();

  it('is granted and revoked', async () => {
    const page = await setup.open();
    const { agent_id } = setup.edge.add({ name: 'web-1' });
    await signIn(page, `/machines/${agent_id}`);
    await page.getByTestId('access').getByText('Owner · Administrator').waitFor();
    await page.getByRole('button', { name: 'Grant access' }).click();
    await page.getByLabel('Username').fill('nobody');
    await page.getByRole('dialog').getByRole('button', { name: 'Grant access' }).click();
    await page.getByText('User not found.').waitFor();
    await page.getByLabel('Username').fill('grace');
    await page.getByRole('dialog').getByRole('button', { name: 'Grant access' }).click();
    await page.getByTestId('access').getByText('Granted · by ada').waitFor();
    await page.getByRole('button', { name: 'Revoke access of grace' }).click();
    await page.getByText('Terminals that grace has open on web-1 close at once.').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await page.getByTestId('access').filter({ hasText: 'grace' }).waitFor({ state: 'detached' });
  });
});
