import { describe, expect, it } from 'vitest';
import { signIn } from './browser';
import { edgePerTest } from './setup';

describe('commands', () => {
  const setup = edgePerTest();

  it('run on a machine from the keyboard, and say how they went and what they wrote', async () => {
    const page = await setup.open();
    setup.edge.add({ name: 'web-1' });
    await signIn(page);
    await page.getByRole('link', { name: 'web-1' }).click();
    await page.getByLabel('Command', { exact: true }).fill('df -h /');
    await page.getByLabel('Command', { exact: true }).press('Control+Enter');
    const box = page.getByTestId('command-box');
    await box.getByText('Running').waitFor();
    const { commands } = setup.edge.identity;
    expect(commands.sent[0]).toMatchObject({ command: 'df -h /', agent_id: '000000000001' });
    commands.end(commands.sent[0], { exit_code: 127, stderr: 'df: not here\n', stdout: 'nothing\n' });
    await box.getByText('Exit code 127: command not found').waitFor();
    expect(await box.getByRole('region', { name: 'Output' }).textContent()).toBe('nothing\n');
    expect(await box.getByRole('region', { name: 'Errors' }).textContent()).toBe('df: not here\n');
    expect(await box.getByRole('button', { name: 'Cancel' }).count()).toBe(0);
  });

  it('are cancelled while they run', async () => {
    const page = await setup.open();
    setup.edge.add({ name: 'web-1' });
    await signIn(page);
    await page.getByRole('link', { name: 'web-1' }).click();
    await page.getByLabel('Command', { exact: true }).fill('sleep 100');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByTestId('command-box').getByText('Cancelled').waitFor();
  });

  it('wait for a machine that is offline only where the person says so', async () => {
    const page = await setup.open();
    const machine = setup.edge.add({ name: 'web-1', status: 'offline', is_connected: false });
    setup.edge.identity.commands.away.add(machine.agent_id);
    await signIn(page);
    await page.getByRole('link', { name: 'web-1' }).click();
    await page.getByLabel('Command', { exact: true }).fill('uptime');
    const run = page.getByRole('button', { name: 'Run', exact: true });
    expect(await run.isDisabled()).toBe(true);
    await page.getByLabel('The machine is offline').check();
    await run.click();
    await page.getByText('Waits for the machine').waitFor();
  });

  it('run on many machines on a phone, with a result of each as it comes', async () => {
    const page = await setup.open({ viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true });
    setup.edge.add({ tags: ['prod'] });
    setup.edge.add({ tags: ['prod'] });
    setup.edge.add({ tags: ['prod'], status: 'offline', is_connected: false });
    setup.edge.add({ tags: ['test'] });
    setup.edge.identity.commands.away.add('000000000003');
    await signIn(page);
    await page.getByLabel('Tag').selectOption('prod');
    await page.getByRole('button', { name: 'Run command' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('On 2 of 3 machines').waitFor();
    await dialog.getByRole('button', { name: 'All' }).click();
    await dialog.getByLabel('Command', { exact: true }).fill('uptime');
    await dialog.getByRole('button', { name: 'Run', exact: true }).click();
    await dialog.getByText('0 of 2 have ended').waitFor();
    await dialog.locator('[data-machine="000000000003"]').getByText('agent not connected').waitFor();
    const { commands } = setup.edge.identity;
    commands.end(commands.sent[0], { exit_code: 0, stdout: 'up 3 days\n' });
    await dialog.getByText('1 of 2 have ended').waitFor();
    await dialog.locator('[data-machine="000000000001"] summary').click();
    await dialog.getByText('up 3 days').waitFor();
    commands.end(commands.sent[1], { signal: 'SIGKILL' });
    await dialog.getByText('2 of 2 have ended').waitFor();
    await dialog.locator('[data-machine="000000000002"]').getByText('Ended by SIGKILL').waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  });
});
