import { describe, expect, it } from 'vitest';
import { signIn } from './browser';
import { edgePerTest } from './setup';

describe('the command log', () => {
  const setup = edgePerTest();

  it('shows what is run while it is run, is searched, and says all of a command', async () => {
    const { edge } = setup;
    edge.identity.addCommand({ command: 'apt update', exit_code: 100, machine_name: 'web-1' });
    edge.identity.addCommand({ command: 'ls -la', cwd: '/srv/www' });
    edge.identity.addCommand({ command: '', command_text: 'not_kept' });
    edge.identity.addCommand({ command: 'uptime', seen: 'screen', outcome: 'unknown', exit_code: null });
    const page = await setup.open();
    await signIn(page, '/admin/commands');
    const commands = page.getByTestId('command');
    await commands.filter({ hasText: 'Not kept by the shell’s history' }).waitFor();
    await commands.filter({ hasText: 'apt update' }).getByText('Exit 100').waitFor();
    await commands.filter({ hasText: 'uptime' }).getByText('Read from the screen').waitFor();
    edge.identity.addCommand({ command: 'systemctl restart web' });
    await commands.filter({ hasText: 'systemctl restart web' }).waitFor();
    await page.getByLabel('Search commands').fill('LS');
    await commands.filter({ hasText: 'apt update' }).waitFor({ state: 'detached' });
    await commands.filter({ hasText: 'ls -la' }).getByRole('button').click();
    await page.getByRole('dialog').getByText('/srv/www').waitFor();
    await page.keyboard.press('Escape');
    await page.getByLabel('Search commands').fill('nowhere');
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.getByLabel('Result').selectOption('Failed');
    await commands.filter({ hasText: 'ls -la' }).waitFor({ state: 'detached' });
    await commands.filter({ hasText: 'apt update' }).waitFor();
    expect(await commands.count()).toBe(1);
  });

  it('shows what a command wrote, and leads to that moment of the recording', async () => {
    setup.edge.identity.addCommand({
      command: 'make',
      output: '\u001b[32mcc main.c\u001b[0m\r\n 10 %\r100 %\r\n',
      output_available: true,
      recording_id: 'a'.repeat(24),
      recording_at_ms: 61_500,
    });
    const page = await setup.open();
    await signIn(page, '/admin/commands');
    await page.getByTestId('command').getByRole('button').click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.getByTestId('output').textContent()).toBe('cc main.c\n100 %');
    const link = dialog.getByRole('link', { name: 'Play the recording from there' });
    expect(await link.getAttribute('href')).toBe(`/recordings/${'a'.repeat(24)}?t=61`);
  });

  it('goes on to what is older', async () => {
    for (let number = 1; number <= 60; number++) setup.edge.identity.addCommand({ command: `echo ${number}` });
    const page = await setup.open();
    await signIn(page, '/admin/commands');
    await page.getByText('echo 60', { exact: true }).waitFor();
    expect(await page.getByTestId('command').count()).toBe(50);
    await page.getByRole('button', { name: 'Show older' }).click();
    await page.getByText('echo 1', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Show older' }).waitFor({ state: 'detached' });
    expect(await page.getByTestId('command').count()).toBe(60);
  });

  it('of one machine stands on its page', async () => {
    const { edge } = setup;
    const machine = edge.add({ name: 'web-1' });
    edge.identity.addCommand({ command: 'uptime', agent_id: machine.agent_id });
    edge.identity.addCommand({ command: 'elsewhere', agent_id: 'ffffffffffff' });
    const page = await setup.open();
    await signIn(page, `/machines/${machine.agent_id}`);
    await page.getByTestId('command').getByText('uptime').waitFor();
    expect(await page.getByTestId('command').count()).toBe(1);
  });
});
