import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { screen, signIn, waitForScreen } from './browser';
import { edgePerTest } from './setup';

describe('jobs', () => {
  const setup = edgePerTest();

  it('are listed with how they went, and narrowed by service, state and person', async () => {
    const { working } = setup.edge.identity;
    working.add({ status: 'failed', exit_code: 3, finished_at: '2026-02-06T12:01:05Z' });
    working.add({ action: 'script', script: 'backup', service: 'mail', username: 'grace' });
    const page = await setup.open();
    await signIn(page, '/services');
    await page.getByRole('link', { name: 'Jobs' }).click();
    const jobs = page.getByTestId('job');
    await jobs.filter({ hasText: 'Deploy grafana' }).getByText('Failed with exit code 3').waitFor();
    await jobs.filter({ hasText: '1 min 5 s · ada' }).waitFor();
    await jobs.filter({ hasText: 'Run backup of mail' }).getByText('Running').waitFor();
    await page.getByLabel('Service', { exact: true }).selectOption('mail');
    await expect.poll(() => jobs.count()).toBe(1);
    await page.getByLabel('State').selectOption('completed');
    await page.getByText('No job is like this.').waitFor();
    expect(new URL(page.url()).search).toBe('?service=mail&status=completed');
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.getByLabel('Whose').selectOption('Mine');
    await expect.poll(() => jobs.count()).toBe(1);
    await jobs.getByText('Deploy grafana').waitFor();
  });

  it('show what they write as it comes, also over a cut, and that they are over', async () => {
    const job = setup.edge.identity.working.add({});
    job.write('--- Running deploy.sh for grafana ---');
    const page = await setup.open();
    await signIn(page, '/jobs/0a1b2c3d');
    await waitForScreen(page, '--- Running deploy.sh for grafana ---');
    job.write('\x1b[32mchanged\x1b[m', '\x1b[2J\x1b[?1049hstill there');
    await waitForScreen(page, 'changed\nstill there');
    job.cut();
    await expect.poll(() => job.readers).toBe(1);
    job.write('after the cut');
    await waitForScreen(page, 'after the cut');
    expect((await screen(page)).match(/changed/g)).toHaveLength(1);
    job.end({ status: 'completed', exit_code: 0 });
    await page.getByTestId('job-state').getByText('Done').waitFor();
    await page.getByText('Ended · 4 lines').waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save as a file' }).click(),
    ]);
    expect(await readFile(await download.path(), 'utf8')).toContain('\nchanged\nstill there\nafter the cut\n');
  });

  it('say which task Ansible is at, and for how long', async () => {
    const stars = '*'.repeat(40);
    const job = setup.edge.identity.working.add({});
    job.write(`PLAY [all] ${stars}`, `TASK [install] ${stars}`);
    const page = await setup.open();
    await signIn(page, '/jobs/0a1b2c3d');
    const task = page.getByTestId('task');
    await task.getByText(/^install · runs for at least \d+ s$/).waitFor();
    job.write('ok: [web-1]', `TASK [restart] ${stars}`);
    await task.getByText(/^restart · runs for \d+ s$/).waitFor();
    job.write(`PLAY RECAP ${stars}`);
    await task.waitFor({ state: 'detached' });
  });

  it('are followed to the end of their log, unless somebody has scrolled up, and searched', async () => {
    const job = setup.edge.identity.working.add({});
    job.write(...Array.from({ length: 500 }, (_, at) => `line ${at + 1}`));
    const page = await setup.open();
    await signIn(page, '/jobs/0a1b2c3d');
    await waitForScreen(page, 'line 500');
    await page.getByRole('button', { name: 'Following' }).waitFor();
    await page.getByTestId('screen').hover();
    await page.mouse.wheel(0, -2000);
    const follow = page.getByRole('button', { name: 'Follow', exact: true });
    await follow.waitFor();
    job.write('one more');
    await waitForScreen(page, 'one more');
    expect(await follow.getAttribute('aria-pressed')).toBe('false');
    await follow.click();
    await page.getByRole('button', { name: 'Following' }).waitFor();
    await page.getByRole('button', { name: 'Find' }).click();
    await page.getByLabel('Find in this log').fill('line 42');
    await page.getByText(/of 11|11 found/).waitFor();
  });

  it('are called off once somebody has said so, and run again', async () => {
    const { working } = setup.edge.identity;
    working.add({});
    const page = await setup.open();
    await signIn(page, '/jobs/0a1b2c3d');
    await page.getByRole('button', { name: 'Cancel job' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel job' }).click();
    await page.getByTestId('job-state').getByText('Cancelled').waitFor();
    await waitForScreen(page, '[CANCELLED by ada]');
    await page.getByRole('button', { name: 'Run again' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Run again' }).click();
    await page.waitForURL('**/jobs/00000001');
    await page.getByRole('link', { name: 'Repeats another' }).waitFor();
  });

  it('that nobody may see say so', async () => {
    Object.assign(setup.edge.identity, { role: 'user', permissions: ['jobs.view_own'] });
    const page = await setup.open();
    await signIn(page, '/jobs');
    await page.getByText('There is no job that you may see.').waitFor();
    expect(await page.getByLabel('Whose').count()).toBe(0);
    await page.goto('/jobs/ffffffff');
    await page.getByText('Job not found.').first().waitFor();
  });

  it('fit on a phone', async () => {
    setup.edge.identity.working.add({ service: 'service'.repeat(12) }).write('word '.repeat(80));
    const page = await setup.open({ viewport: { width: 360, height: 740 } });
    await signIn(page, '/jobs');
    const overflow = (): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    await page.getByTestId('job').waitFor();
    expect(await overflow()).toBe(0);
    await page.getByTestId('job').getByRole('link').click();
    await page.getByText('1 line').waitFor();
    expect(await overflow()).toBe(0);
  });
});
