import { describe, expect, it } from 'vitest';
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

  it('asks before it keeps so little that something goes, and says what went', async () => {
    const { identity } = setup.edge;
    identity.oldest.oldest_log_at = new Date(Date.now() - 40 * 86_400_000).toISOString();
    const page = await setup.open();
    await signIn(page, '/admin/organization');
    await page.getByText('Nothing in the last 90 days.').waitFor();
    const save = page.getByRole('button', { name: 'Save settings' });
    const dialog = page.getByRole('dialog', { name: 'Remove what is older?' });
    // Nothing is that old.
    await page.getByLabel('Keep logs for').fill('50');
    await save.click();
    await page.getByText('Saved.').waitFor();
    await page.getByLabel('Keep logs for').fill('30');
    await page.getByLabel('Keep recordings for').fill('1');
    await save.click();
    await dialog.getByText('The command log, sessions that ended').waitFor();
    expect(await dialog.getByText('Recordings').count()).toBe(0);
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    expect(identity.settings).toMatchObject({ command_log_days: 50, recording_days: 90 });
    await save.click();
    await dialog.getByRole('button', { name: 'Save and remove' }).click();
    await page.getByText('Saved.').waitFor();
    expect(identity.settings).toMatchObject({ command_log_days: 30, recording_days: 1 });
    identity.runs.push({
      id: '2026-02-10T08',
      finished_at: '2026-02-10T08:30:00Z',
      logs_deleted: 12,
      sessions_deleted: 1,
      commands_deleted: 0,
      recordings_deleted: 0,
      jobs_deleted: 0,
    });
    await page.reload();
    await page.getByTestId('run').getByText('12 rows of the command log, 1 session').waitFor();
  });
});
