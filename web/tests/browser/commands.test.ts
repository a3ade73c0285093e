import { describe, expect, it } from 'vitest';
import { screen, signIn, waitForState } from './browser';
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

  it('that were sent before are listed, of all machines and of one, and read', async () => {
    const page = await setup.open();
    setup.edge.add({ name: 'web-1' });
    const { commands } = setup.edge.identity;
    const first = commands.send('000000000001', { command: 'df -h /' }, null);
    commands.end(first, { exit_code: 0, stdout: 'plenty\n' });
    commands.send('000000000002', { command: 'uptime' }, null);
    await signIn(page);
    await page.getByRole('link', { name: 'Sent commands' }).click();
    await expect.poll(() => page.getByTestId('sent').count()).toBe(2);
    expect(await page.getByTestId('sent').first().textContent()).toContain('uptime');
    await page.getByLabel('State').selectOption('sent');
    await expect.poll(() => page.getByTestId('sent').count()).toBe(1);

    await page.goto('/machines/000000000001');
    await page.getByRole('link', { name: 'Commands that were sent before' }).click();
    await expect.poll(() => page.getByTestId('sent').count()).toBe(1);
    await page.getByTestId('sent').getByRole('link').click();
    expect(await page.getByRole('region', { name: 'Command', exact: true }).textContent()).toBe('df -h /');
    await page.getByText('Done').waitFor();
    expect(await page.getByRole('region', { name: 'Output' }).textContent()).toBe('plenty\n');
    await page.getByRole('link', { name: 'Commands on machine-1' }).click();
    await page.getByRole('button', { name: 'Show all' }).click();
    await expect.poll(() => page.getByTestId('sent').count()).toBe(2);
  });

  it('run on when the dialog is closed, and their results are found again', async () => {
    const page = await setup.open();
    setup.edge.add({});
    setup.edge.add({});
    await signIn(page);
    await page.getByRole('button', { name: 'Run command' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Command', { exact: true }).fill('uptime');
    await dialog.getByRole('button', { name: 'Run', exact: true }).click();
    await dialog.getByText('0 of 2 have ended').waitFor();
    const results = await dialog.getByRole('link', { name: 'Results on a page of their own' }).getAttribute('href');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await page.goto(results ?? '');
    await expect.poll(() => page.getByTestId('sent').count()).toBe(2);
    const { commands } = setup.edge.identity;
    commands.end(commands.sent[0], { exit_code: 3 });
    await page.locator('[data-machine="000000000001"]').getByText('Exit code 3').waitFor();
  });

  it('of somebody show above a terminal of the machine while they run, and are no part of its text', async () => {
    const page = await setup.open();
    setup.edge.add({ name: 'web-1' });
    await signIn(page);
    await page.getByRole('link', { name: 'web-1' }).click();
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await waitForState(page, 'connected');
    const shell = setup.edge.shellOf((await page.getByTestId('terminal').getAttribute('data-session')) ?? '');
    const sizes = shell.sizes.length;
    // Longer than there is room for: what it is dismissed by stays in reach.
    const command = `apt-get update && ${'apt-get dist-upgrade --yes && '.repeat(5)}true`;
    const sent = { command_id: 'cmd_1', by: 'grace', command, stderr: '' };
    shell.say({ ...sent, type: 'command_running', part: 0, stdout: 'Reading\n' });
    shell.say({ ...sent, type: 'command_running', part: 1, stdout: '10%\r100%\n' });
    const strip = page.getByTestId('sent-command');
    await strip.getByText('grace runs apt-get update').waitFor();
    await expect.poll(() => strip.locator('pre').textContent()).toBe('Reading\n100%');
    expect(await screen(page)).not.toContain('Reading');
    const facts = { status: 'completed', exit_code: 100, signal: null, error: null };
    shell.say({ ...sent, type: 'command_ended', ...facts, stdout: 'Failed\n' });
    await strip.getByText('grace ran apt-get update').waitFor();
    await strip.getByText('Exit code 100').waitFor();
    const dismiss = strip.getByRole('button', { name: 'Dismiss' });
    const [whole, button] = [await strip.boundingBox(), await dismiss.boundingBox()];
    expect(button && whole && button.x + button.width <= whole.x + whole.width).toBe(true);
    await dismiss.click();
    await strip.waitFor({ state: 'detached' });
    expect(shell.sizes.length, 'the terminal kept its size').toBe(sizes);
  });

  it('that need approval are approved or rejected by administrators, who say why', async () => {
    const page = await setup.open();
    setup.edge.add({ name: 'web-1' });
    await signIn(page);
    const { commands } = setup.edge.identity;
    const waits = { status: 'awaiting_approval', error: 'systemctl needs approval', sent_at: null };
    for (const command of ['systemctl stop nginx', 'systemctl restart nginx']) {
      Object.assign(commands.send('000000000001', { command }, null), { ...waits, username: 'grace' });
    }
    await page.goto('/commands?status=awaiting_approval');
    await expect.poll(() => page.getByTestId('sent').count()).toBe(2);
    await page.getByRole('link', { name: 'systemctl stop nginx' }).click();
    const decision = page.getByRole('form', { name: 'Decision' });
    expect(await decision.getByRole('button', { name: 'Reject' }).isDisabled()).toBe(true);
    await decision.getByLabel('Reason').fill('not on a Friday');
    await decision.getByRole('button', { name: 'Reject' }).click();
    await page.getByText('Rejected: ada rejected it: not on a Friday').waitFor();
    await page.goto('/commands?status=awaiting_approval');
    await page.getByRole('link', { name: 'systemctl restart nginx' }).click();
    await decision.getByRole('button', { name: 'Approve' }).click();
    await page.getByText('Approved by ada').waitFor();
    expect(commands.sent.map(({ status }) => status)).toEqual(['rejected', 'sent']);
  });
});
