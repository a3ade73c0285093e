import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { screen, signIn, typeLine, waitForScreen, waitForState } from './browser';
import type { Shell } from './edge/shell';
import { edgePerTest } from './setup';

describe('the terminal', () => {
  const setup = edgePerTest();

  async function connect(options = {}): Promise<{ page: Page; shell: () => Promise<Shell> }> {
    const page = await setup.open(options);
    setup.edge.add({ name: 'web-1' });
    await signIn(page);
    await page.getByRole('button', { name: 'Connect to web-1' }).click();
    await waitForState(page, 'connected');
    await waitForScreen(page, '$');
    const shell = async (): Promise<Shell> =>
      setup.edge.shellOf((await page.getByTestId('terminal').getAttribute('data-session')) ?? '');
    return { page, shell };
  }

  async function run(page: Page, command: string, expected: string): Promise<void> {
    await typeLine(page, command);
    await waitForScreen(page, expected);
  }

  it('runs commands, and says that it is connected', async () => {
    const { page } = await connect();
    await run(page, 'echo $((6*7))', '\n42\n');
    expect(await page.getByTestId('connection-state').textContent()).toContain('Connected');
  });

  it('finds its shell again after a reload', async () => {
    const { page } = await connect();
    await run(page, 'kept=treasure; echo set', '\nset\n');
    await page.reload();
    await waitForScreen(page, '\nset\n');
    await run(page, 'echo "<$kept>"', '<treasure>');
  });

  it('answers nothing that a program asks, before and after a reload: the agent does', async () => {
    const { page } = await connect();
    // Here is no agent, so nobody answers.
    await run(page, `printf '\\e[c\\e[6n'; read -rs -t 1 -d c answer; echo "answered \${#answer}"`, 'answered 0');
    await page.reload();
    await waitForScreen(page, 'answered 0');
    await run(page, 'echo quiet', '\nquiet\n');
    expect(await screen(page)).not.toMatch(/1;2c|;\d+R/);
  });

  it('loses nothing of what was typed or written while the link was cut', async () => {
    const { page, shell } = await connect();
    await run(page, 'echo before', '\nbefore\n');
    setup.edge.refuseUpgrades = 503;
    (await shell()).drop(1006);
    // It tries at once and then again and again, so the words change.
    const state = page.getByTestId('connection-state');
    await expect.poll(() => state.textContent()).toMatch(/Connection lost – reconnecting in \d+ s/);
    await page.keyboard.type('echo typed-$((1+1))-offline\r');
    setup.edge.refuseUpgrades = null;
    // It reconnects by itself.
    await waitForScreen(page, '\ntyped-2-offline\n');
    const text = await screen(page);
    expect(text.match(/typed-2-offline/g)).toHaveLength(1);
    expect(text.match(/^before$/gm)).toHaveLength(1);
  });

  it('brings large output whole', async () => {
    const { page } = await connect();
    await run(page, 'seq 1 9000 | tail -n 9000; echo complete', '\ncomplete\n');
    const lines = (await screen(page)).split('\n');
    const from = lines.indexOf('1');
    expect(lines.slice(from, from + 9000)).toEqual(Array.from({ length: 9000 }, (_, at) => String(at + 1)));
  });

  it('waits in words for a machine that is offline', async () => {
    const { page, shell } = await connect();
    (await shell()).say({ type: 'agent', online: false });
    await waitForState(page, 'offline');
    expect(await page.getByTestId('connection-state').textContent()).toContain(
      'Machine offline – waiting for it to come back',
    );
    (await shell()).say({ type: 'agent', online: true });
    await waitForState(page, 'connected');
  });

  it('says how the shell ended, does not start another by itself, and does when asked', async () => {
    const { page } = await connect();
    await page.keyboard.type('exit 3\r');
    await waitForState(page, 'ended');
    expect(await page.getByTestId('connection-state').textContent()).toContain('Shell ended – exit code 3');
    await page.reload();
    await waitForState(page, 'ended');
    expect(await page.getByTestId('connection-state').textContent()).toContain('Shell ended – exit code 3');
    expect(setup.edge.shells.size).toBe(1);
    await page.getByRole('button', { name: 'Start a new shell' }).click();
    await waitForState(page, 'connected');
    expect(setup.edge.shells.size).toBe(2);
  });

  it('leaves a shell running when its tab closes, lists it, and attaches to it again', async () => {
    const { page } = await connect();
    await run(page, 'kept=treasure; echo set', '\nset\n');
    await page.getByRole('button', { name: 'Close web-1' }).click();
    await page.getByRole('button', { name: 'Leave it running' }).click();
    await page.getByTestId('no-terminal').waitFor();
    await page.getByTestId('session').getByRole('button', { name: 'Attach' }).click();
    await waitForScreen(page, '\nset\n');
    await run(page, 'echo "<$kept>"', '<treasure>');
  });

  it('ends the shell when its tab closes, if the person says so', async () => {
    const { page, shell } = await connect();
    const ended = await shell();
    await page.getByRole('button', { name: 'Close web-1' }).click();
    await page.getByRole('button', { name: 'End the shell' }).click();
    await page.getByTestId('no-sessions').waitFor();
    await expect.poll(() => ended.over).toBe(true);
  });

  it('ends a session from the list, and tells whoever watches it', async () => {
    const { page } = await connect();
    const other = await page.context().newPage();
    await other.goto('/running');
    await other.getByRole('button', { name: 'End' }).click();
    await other.getByRole('button', { name: 'End session' }).click();
    await waitForState(page, 'closed');
    expect(await page.getByTestId('connection-state').textContent()).toContain('ended by its owner or an administrator');
  });

  it('says what a session does, and is called as people call it', async () => {
    const { page } = await connect();
    await page.goto('/running');
    const session = page.getByTestId('session');
    await expect.poll(() => session.textContent()).toContain('make test in /home/ada');
    await session.getByRole('button', { name: 'Rename' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('nightly backup');
    await page.getByRole('button', { name: 'Save' }).click();
    await session.getByRole('link', { name: 'nightly backup on web-1' }).click();
    await page.getByRole('heading', { name: 'nightly backup' }).waitFor();
    await page.getByRole('link', { name: 'Sessions', exact: true }).first().click();
    await page.getByTestId('past-session').getByRole('link', { name: 'web-1' }).click();
    await page.getByText('ended by somebody').waitFor();
  });

  it('gives way to another window and takes the terminal back when asked', async () => {
    const { page, shell } = await connect();
    (await shell()).drop(4009, 'Replaced by another connection');
    await waitForState(page, 'closed');
    expect(await page.getByTestId('connection-state').textContent()).toContain('opened in another window');
    await page.getByRole('button', { name: 'Use it here' }).click();
    await waitForState(page, 'connected');
  });

  it('gives way to the sign-in page when the person was put out', async () => {
    const { page, shell } = await connect();
    setup.edge.tokens.clear();
    (await shell()).drop(1008, 'Access revoked');
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.getByText('Your sign-in is no longer valid').waitFor();
  });

  it('stops trying when the machine is gone, and says so', async () => {
    const { page, shell } = await connect();
    setup.edge.machines.clear();
    (await shell()).drop(1006);
    await waitForState(page, 'closed');
    expect(await page.getByTestId('connection-state').textContent()).toContain('Machine not found.');
  });

  it('has tabs: several shells, each with its own text, moved between by keyboard', async () => {
    const { page } = await connect();
    await run(page, 'echo first-shell', '\nfirst-shell\n');
    await page.getByRole('button', { name: 'New terminal' }).click();
    await page.getByRole('menuitem', { name: /web-1/ }).click();
    await expect.poll(() => page.getByTestId('tab').count()).toBe(2);
    await waitForState(page, 'connected');
    expect(await screen(page)).not.toContain('first-shell');
    await page.keyboard.press('Control+Shift+ArrowUp');
    await page.keyboard.press('ArrowLeft');
    await waitForScreen(page, 'first-shell');
  });

  it('keeps shells connected while other pages are looked at', async () => {
    const { page, shell } = await connect();
    const before = (await shell()).sizes.length;
    await page.getByRole('link', { name: 'Machines', exact: true }).click();
    await page.getByRole('heading', { name: 'Machines' }).waitFor();
    await page.getByRole('link', { name: 'Terminals' }).click();
    await run(page, 'echo still-here', '\nstill-here\n');
    expect((await shell()).sizes.length).toBe(before);
  });

  it('tells the shell its size when the window or the text size changes', async () => {
    const { page, shell } = await connect();
    const cols = async (): Promise<number> => (await shell()).sizes.at(-1)?.cols ?? 0;
    const wide = await cols();
    await page.setViewportSize({ width: 640, height: 600 });
    await expect.poll(cols).toBeLessThan(wide);
    const normal = await cols();
    await page.keyboard.press('Control+=');
    await page.keyboard.press('Control+=');
    await expect.poll(cols).toBeLessThan(normal);
    await page.keyboard.press('Control+0');
    await expect.poll(cols).toBe(normal);
  });

  it('finds text, copies and pastes by keyboard', async () => {
    const { page } = await connect();
    await run(page, 'echo needle-in-hay', '\nneedle-in-hay\n');
    await page.keyboard.press('Control+Shift+F');
    await page.keyboard.type('needle-in');
    await page.getByText(/of 2/).waitFor();
    await page.keyboard.press('Control+Shift+C');
    await page.keyboard.press('Escape');
    await page.evaluate(() => navigator.clipboard.writeText('echo pasted-$((2+3))'));
    await page.keyboard.press('Control+Shift+V');
    await waitForScreen(page, 'echo pasted-$((2+3))');
    await page.keyboard.press('Enter');
    await waitForScreen(page, '\npasted-5\n');
  });

  it('offers the keys that a phone lacks', async () => {
    const { page } = await connect({ viewport: { width: 380, height: 740 }, isMobile: true, hasTouch: true });
    await page.getByTestId('screen').tap();
    await run(page, 'echo once', '\nonce\n');
    await page.getByRole('button', { name: 'Up', exact: true }).tap();
    await page.keyboard.press('Enter');
    await expect.poll(async () => (await screen(page)).match(/^once$/gm)?.length).toBe(2);
    await page.keyboard.type('sleep 100\r');
    await page.getByRole('button', { name: 'Control, for the next key' }).tap();
    await page.keyboard.type('c');
    await run(page, 'echo awake', '\nawake\n');
  });
});
