import { describe, expect, it } from 'vitest';
import { signIn } from './browser';
import { edgePerTest } from './setup';

describe('schedules', () => {
  const setup = edgePerTest();

  function grafana(): void {
    const inputs = [
      { name: 'host', label: 'Host', required: true },
      { name: 'secret', label: 'Secret', type: 'password' },
    ];
    const scripts = [
      { name: 'deploy', label: 'Deploy' },
      { name: 'backup', label: 'Back up', inputs },
    ];
    setup.edge.identity.serving.add({ name: 'grafana', scripts });
  }

  it('are listed with when they run next and what came of the last run, and switched off', async () => {
    const { scheduling } = setup.edge.identity;
    scheduling.add({});
    scheduling.add({
      name: 'backup',
      script: 'backup',
      enabled: false,
      next_run_at: null,
      off_reason: 'ada is not allowed to',
    });
    scheduling.ran('s1', { outcome: 'started', job_id: '0a1b2c3d', job_status: 'failed' });
    const page = await setup.open();
    await signIn(page, '/services');
    await page.getByRole('link', { name: 'Schedules' }).click();
    const rows = page.getByTestId('schedule');
    const nightly = rows.filter({ hasText: 'nightly' });
    await nightly.getByText(/^In (59|1 h)/).waitFor();
    expect(await nightly.getByRole('link', { name: 'Failed' }).getAttribute('href')).toBe('/jobs/0a1b2c3d');
    await rows.filter({ hasText: 'Run backup of grafana' }).getByText('ada is not allowed to').waitFor();
    await page.getByRole('switch', { name: 'nightly is on' }).uncheck();
    await nightly.getByText('Switched off').waitFor();
    expect(scheduling.schedules[0]?.enabled).toBe(false);
    await page.getByRole('switch', { name: 'nightly is on' }).check();
    await nightly.getByText(/^In (59|1 h)/).waitFor();
  });

  it('are made of a script and what it asks for, and show when they will run', async () => {
    grafana();
    const page = await setup.open();
    await signIn(page, '/schedules');
    await page.getByText('Nothing is started by the clock.').waitFor();
    await page.getByRole('button', { name: 'Add schedule' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('backups');
    await dialog.getByLabel('Service').selectOption('grafana');
    await dialog.getByLabel('Starts').selectOption('backup');
    await dialog.getByLabel('Host').fill('db');
    await dialog.getByLabel('Secret').fill('s3cret');
    await dialog.getByLabel('Repeats').selectOption('Every Sunday at 04:00');
    expect(await dialog.getByLabel('Cron expression').inputValue()).toBe('0 4 * * 0');
    await dialog.getByLabel('Time zone').selectOption('UTC');
    const preview = dialog.getByTestId('preview');
    await expect.poll(() => preview.getByRole('listitem').count()).toBe(5);
    await dialog.getByLabel('Cron expression').fill('0 4 * *');
    await preview.getByText('Cron must have 5 fields.').waitFor();
    await dialog.getByRole('button', { name: 'Add schedule' }).click();
    await dialog.getByText('Must have 5 fields.', { exact: true }).waitFor();
    await dialog.getByLabel('Cron expression').fill('30 2 * * 1-5');
    await dialog.getByLabel('While the run before is not over').selectOption('queue');
    await dialog.getByLabel('Make up for missed runs').check();
    await dialog.getByRole('button', { name: 'Add schedule' }).click();
    await page.getByTestId('schedule').getByText('Run backup of grafana').waitFor();
    const said = setup.edge.identity.said.findLast(({ route }) => route === 'POST /api/schedules');
    expect(said?.body).toEqual({
      name: 'backups',
      service: 'grafana',
      script: 'backup',
      inputs: { host: 'db', secret: 's3cret' },
      cron: '30 2 * * 1-5',
      time_zone: 'UTC',
      overlap: 'queue',
      missed: 'run_once',
    });
  });

  it('have a list of runs, and keep what they are given when they are changed', async () => {
    grafana();
    const { scheduling } = setup.edge.identity;
    scheduling.add({ script: 'backup', inputs: ['host', 'secret'] });
    scheduling.ran('s1', { due_at: '2026-02-05T04:00:00Z', job_id: '0a1b2c3d', job_status: 'completed' });
    scheduling.ran('s1', { due_at: '2026-02-06T04:00:00Z', outcome: 'runner_offline', reason: 'Runner is not connected' });
    const page = await setup.open();
    await signIn(page, '/schedules/s1');
    const runs = page.getByTestId('run');
    await runs.filter({ hasText: 'Runner is not connected' }).getByText('Did not run: its runner was offline').waitFor();
    await runs.getByRole('link', { name: 'Done' }).waitFor();
    await page.getByRole('button', { name: 'Edit' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('It is given host, secret, which cannot be shown.').waitFor();
    expect(await dialog.getByLabel('Host', { exact: true }).count()).toBe(0);
    await dialog.getByLabel('Name').fill('at night');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'at night' }).waitFor();
    const said = setup.edge.identity.said.findLast(({ route }) => route.startsWith('PUT /api/schedules/'));
    expect(said?.body).not.toHaveProperty('inputs');
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete schedule' }).click();
    await page.getByText('Nothing is started by the clock.').waitFor();
  });

  it('are only looked at by whoever may only see them', async () => {
    Object.assign(setup.edge.identity, { role: 'user', permissions: ['schedules.view'] });
    setup.edge.identity.scheduling.add({});
    const page = await setup.open();
    await signIn(page, '/schedules');
    await page.getByTestId('schedule').waitFor();
    expect(await page.getByRole('switch').isDisabled()).toBe(true);
    expect(await page.getByRole('button', { name: 'Add schedule' }).count()).toBe(0);
    await page.getByRole('link', { name: 'nightly' }).click();
    await page.getByRole('heading', { name: 'nightly' }).waitFor();
    for (const name of ['Edit', 'Delete']) expect(await page.getByRole('button', { name }).count()).toBe(0);
  });

  it('fit on a phone', async () => {
    grafana();
    const { scheduling } = setup.edge.identity;
    scheduling.add({
      name: 'nightly'.repeat(14),
      time_zone: 'America/Argentina/Buenos_Aires',
      off_reason: 'reason'.repeat(30),
    });
    scheduling.ran('s1', { outcome: 'skipped_running', reason: 'reason'.repeat(30) });
    const page = await setup.open({ viewport: { width: 360, height: 740 } });
    await signIn(page, '/schedules');
    const overflow = (): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    await page.getByTestId('schedule').waitFor();
    expect(await overflow()).toBe(0);
    await page.getByTestId('schedule').getByRole('link').first().click();
    await page.getByTestId('run').waitFor();
    expect(await overflow()).toBe(0);
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByTestId('preview').getByRole('listitem').first().waitFor();
    expect(await overflow()).toBe(0);
  });
});
