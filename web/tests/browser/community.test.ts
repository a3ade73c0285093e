import { describe, it } from 'vitest';
import { signIn } from './browser';
import { edgePerTest } from './setup';

describe('the community', () => {
  const setup = edgePerTest();

  it('has issues that are written with pictures, found, changed and deleted', async () => {
    const { community } = setup.edge.identity;
    community.write({ title: 'Backups fail', tags: ['backup'], status: 'closed', author_id: '2', author_username: 'grace' });
    setup.edge.add({ name: 'web-1' });
    const page = await setup.open();
    await signIn(page, '/machines');
    await page.getByRole('link', { name: 'Community' }).first().click();
    await page.getByRole('button', { name: 'New issue' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Title').fill('The disk is full');
    await dialog.getByLabel('Description').fill('Since noon\n<b>df</b> says so');
    await dialog.getByLabel('Machine').selectOption('web-1');
    await dialog.getByLabel('Tags').fill('disk, web');
    const picture = { name: 'df.png', mimeType: 'image/png', buffer: Buffer.from('x') };
    await dialog.locator('input[type=file]').setInputFiles(picture);
    await dialog.getByRole('img', { name: 'Picture 1' }).waitFor();
    await dialog.getByRole('button', { name: 'Write issue' }).click();
    await page.getByRole('heading', { name: 'The disk is full' }).waitFor();
    // As it was typed, and nothing in it is markup.
    await page.getByText('<b>df</b> says so').waitFor();
    await page.getByRole('img', { name: 'Picture 1 of The disk is full' }).waitFor();
    await page.getByRole('button', { name: 'Edit' }).click();
    await dialog.getByLabel('State').selectOption('In progress');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText('In progress').waitFor();
    await page.getByRole('link', { name: '#disk' }).click();
    await page.getByText('Tagged “disk”.').waitFor();
    await page.getByTestId('issue').filter({ hasText: 'Backups' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.getByTestId('issue').filter({ hasText: 'Backups' }).waitFor();
    await page.getByLabel('State').selectOption('Open');
    await page.getByText('No issue is like this.').waitFor();
    await page.getByLabel('State').selectOption('Every state');
    await page.getByLabel('Search issues').fill('disk');
    await page.getByRole('link', { name: 'The disk is full' }).click();
    await page.getByRole('button', { name: 'Delete' }).click();
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await page.getByTestId('issue').filter({ hasText: 'Backups' }).waitFor();
  });

  it('fixes what was written: votes, fixes, likes and comments', async () => {
    const { community } = setup.edge.identity;
    const issue = community.write({ title: 'The disk is full' });
    community.fix(issue, { author_id: '2', author_username: 'grace', content: 'lvextend' });
    const page = await setup.open();
    await signIn(page, '/community/i1');
    await page.getByRole('button', { name: '0 votes' }).click();
    await page.getByRole('button', { name: '1 vote' }).waitFor();
    await page.getByLabel('How did you fix it?').fill('rm -r /var/tmp');
    await page.getByRole('button', { name: 'Add fix' }).click();
    await page.getByTestId('fix').filter({ hasText: '/var/tmp' }).waitFor();
    await page.getByRole('button', { name: 'grace’s fix helped: 0' }).click();
    await page.getByRole('button', { name: 'grace’s fix helped: 1' }).waitFor();
    await page.getByRole('button', { name: 'Accept grace’s fix' }).click();
    await page.getByTestId('fix').filter({ hasText: 'lvextend' }).getByText('Accepted').waitFor();
    await page.getByText('Resolved').waitFor();
    await page.getByRole('button', { name: 'Remove ada’s fix' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByTestId('fix').filter({ hasText: '/var/tmp' }).waitFor({ state: 'detached' });
    await page.getByLabel('Comment').fill('Thank you');
    await page.getByRole('button', { name: 'Add comment' }).click();
    await page.getByTestId('comment').getByText('Thank you').waitFor();
    await page.getByRole('button', { name: 'Remove ada’s comment' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByText('Nobody has said anything yet.').waitFor();
  });

  it('shows somebody else’s issue without what only its author may do', async () => {
    const { identity } = setup.edge;
    identity.role = 'user';
    const issue = identity.community.write({ author_id: '2', author_username: 'grace' });
    identity.community.fix(issue, { author_id: '2', author_username: 'grace' });
    const page = await setup.open();
    await signIn(page, '/community/i1');
    await page.getByTestId('fix').waitFor();
    for (const name of ['Edit', 'Delete', 'Accept grace’s fix', 'Remove grace’s fix'])
      await page.getByRole('button', { name, exact: true }).waitFor({ state: 'detached' });
  });
});
