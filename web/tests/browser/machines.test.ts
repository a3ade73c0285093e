import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { readCode, signIn, waitForState } from './browser';
import { HOME, WORK } from './edge/administration';
import { LINE } from './edge/edge';
import { edgePerTest } from './setup';

describe('the machine pages', () => {
  const setup = edgePerTest();

  it('lead from nothing to a first terminal', async () => {
    const page = await setup.open();
    await signIn(page);
    await page.getByRole('button', { name: 'Add machine' }).click();
    await page.getByLabel('Name').fill('build-7');
    await page.getByLabel('Linux user').fill('ci');
    await page.getByRole('button', { name: 'Continue' }).click();
    expect(await page.getByTestId('command').textContent()).toBe(LINE);
    await page.getByRole('button', { name: 'Copy the line' }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(LINE);

    const [machine] = setup.edge.machines.values();
    await page.locator('[data-testid=enrolment][data-stage=waiting]').waitFor();
    Object.assign(machine ?? {}, { status: 'offline', hostname: 'ip-10-0-0-7' });
    await page.getByText('Enrolled by ip-10-0-0-7').waitFor();
    expect(await page.getByTestId('command').count()).toBe(0);
    Object.assign(machine ?? {}, { status: 'online', is_connected: true });
    await page.getByRole('heading', { name: 'build-7 is online' }).waitFor();
    // It has the keyboard: whoever comes back from the computer presses Enter.
    await page.keyboard.press('Enter');
    await waitForState(page, 'connected');
  });

  it('show the line as a code that a phone reads, where there is room, and on a phone when it is asked for', async () => {
    const page = await setup.open();
    await signIn(page);
    await page.getByRole('button', { name: 'Add machine' }).click();
    await page.getByLabel('Name').fill('build-7');
    await page.keyboard.press('Enter');
    const code = page.getByRole('img', { name: 'The line as a QR code' });
    await code.waitFor();
    expect(await readCode(page)).toBe(LINE);

    const phone = await setup.open({ viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true });
    setup.edge.add({ name: 'phone', status: 'pending', is_connected: false, install_command: LINE });
    await signIn(phone);
    await phone.getByRole('link', { name: 'phone' }).click();
    await phone.getByTestId('command').waitFor();
    const onPhone = phone.getByRole('img', { name: 'The line as a QR code' });
    expect(await onPhone.isVisible()).toBe(false);
    await phone.getByText('As a QR code').click();
    await onPhone.waitFor();
    expect(await phone.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  });

  it('take a script that a new machine runs once, and say how long it may be', async () => {
    const page = await setup.open();
    await signIn(page);
    await page.getByRole('button', { name: 'Add machine' }).click();
    await page.getByLabel('Name').fill('build-7');
    await page.getByText('First script').click();
    const script = page.getByLabel('Run once, when a computer');
    await script.fill('x'.repeat(65_537));
    await page.getByText('65,537 characters; at most 65,536 fit.').waitFor();
    await script.fill('apt-get update\n');
    await page.getByText('not as root').waitFor();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByTestId('command').waitFor();
    const [machine] = setup.edge.machines.values();
    expect(machine).toMatchObject({ custom_script: 'apt-get update\n' });
  });

  it('say what to look at when nothing comes for a minute, by how far it came', async () => {
    const page = await setup.open();
    await page.clock.install();
    await signIn(page);
    await page.getByRole('button', { name: 'Add machine' }).click();
    await page.getByLabel('Name').fill('build-7');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.locator('[data-testid=enrolment][data-stage=waiting]').waitFor();
    expect(await page.getByText('Nothing has come yet.').count()).toBe(0);
    await page.clock.fastForward(61_000);
    await page.getByText('Nothing has come yet.').waitFor();
    await page.getByText(`curl -I ${new URL(page.url()).origin}/health`).waitFor();

    const [machine] = setup.edge.machines.values();
    Object.assign(machine ?? {}, { status: 'offline' });
    await page.clock.fastForward(2000);
    await page.locator('[data-testid=enrolment][data-stage=enrolled]').waitFor();
    expect(await page.getByText('Nothing has come yet.').count()).toBe(0);
    await page.clock.fastForward(61_000);
    await page.getByText('journalctl -u vsay-agent').waitFor();
  });

  it('make a new line for a machine that is enrolled again', async () => {
    const page = await setup.open();
    setup.edge.add({ name: 'web-1' });
    await signIn(page);
    await page.getByRole('link', { name: 'web-1' }).click();
    await page.getByRole('button', { name: 'Enrol again' }).click();
    await page.getByRole('button', { name: 'Make a line to run' }).click();
    await page.getByTestId('command').waitFor();
    expect(await page.getByTestId('command').textContent()).toBe(LINE);
  });

  it('have the key of a machine that is there replaced', async () => {
    const page = await setup.open();
    setup.edge.add({ name: 'web-1' });
    await signIn(page);
    await page.getByRole('link', { name: 'web-1' }).click();
    await page.getByRole('button', { name: 'Replace key' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Replace key' }).click();
    await dialog.waitFor({ state: 'hidden' });
  });

  it('say in the form what is wrong with a name', async () => {
    const page = await setup.open();
    setup.edge.add({ name: 'web-1' });
    await signIn(page);
    await page.getByRole('button', { name: 'Add machine' }).click();
    await page.getByLabel('Name').fill('web-1');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('Machine with this name already exists.').waitFor();
    expect(await page.getByLabel('Name').inputValue()).toBe('web-1');
  });

  it('rename a machine, and say in the form when the name is taken', async () => {
    const page = await setup.open();
    const machine = setup.edge.add({ name: 'web-1' });
    setup.edge.add({ name: 'web-2' });
    await signIn(page);
    await page.getByRole('link', { name: 'web-1' }).click();
    await page.getByRole('button', { name: 'Edit' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('web-2');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByText('Machine with this name already exists.').waitFor();
    await dialog.getByLabel('Name').fill('front-door');
    await dialog.getByLabel('Tags').fill('production, web,');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('heading', { name: 'front-door' }).waitFor();
    expect(machine).toMatchObject({ name: 'front-door', tags: ['production', 'web'] });
  });

  it('show the list live, and keep it when the server cannot be reached', async () => {
    const page = await setup.open();
    const machine = setup.edge.add({ name: 'web-1' });
    await signIn(page);
    await page.getByText('1 of 1 online').waitFor();
    machine.is_connected = false;
    await page.getByText('0 of 1 online').waitFor();
    await page.route('**/api/machines', (route) => route.abort());
    await page.getByRole('alert').getByText('The server cannot be reached.').waitFor();
    expect(await page.getByTestId('machine').count()).toBe(1);
    await page.unroute('**/api/machines');
    await page.getByRole('alert').waitFor({ state: 'detached' });
  });

  it('find a machine by any of its facts', async () => {
    const page = await setup.open();
    setup.edge.add({ name: 'web-1', os: 'Debian 12' });
    setup.edge.add({ name: 'db-1', os: 'Ubuntu 24.04' });
    await signIn(page);
    await page.getByLabel('Search machines').fill('ubuntu');
    await page.getByRole('link', { name: 'web-1' }).waitFor({ state: 'detached' });
    expect(await page.getByTestId('machine').count()).toBe(1);
    await page.getByLabel('Search machines').fill('mainframe');
    await page.getByText('No machine matches “mainframe”.').waitFor();
  });

  it('delete a machine only when its name was typed', async () => {
    const page = await setup.open();
    setup.edge.add({ name: 'web-1' });
    await signIn(page);
    await page.getByRole('link', { name: 'web-1' }).click();
    await page.getByRole('button', { name: 'Delete machine' }).click();
    const confirm = page.getByRole('dialog').getByRole('button', { name: 'Delete machine' });
    await page.getByLabel('Type web-1 to confirm').fill('web');
    expect(await confirm.isDisabled()).toBe(true);
    await page.getByLabel('Type web-1 to confirm').fill('web-1');
    await confirm.click();
    await page.getByText('Add your first machine').waitFor();
    expect(setup.edge.machines.size).toBe(0);
  });

  it('offer what only their owner and administrators may do to nobody else', async () => {
    Object.assign(setup.edge.identity, { role: 'user', permissions: [] });
    setup.edge.add({ name: 'lent', owner_id: '9' });
    setup.edge.add({ name: 'new', owner_id: '9', status: 'pending', is_connected: false });
    setup.edge.add({ name: 'mine' });
    const page = await setup.open();
    await signIn(page);
    const buttons = ['Enrol again', 'Delete machine', 'Grant access'].map((name) => page.getByRole('button', { name }));
    await page.getByRole('link', { name: 'lent' }).click();
    await page.getByRole('heading', { name: 'Who has access' }).waitFor();
    for (const button of buttons) expect(await button.count()).toBe(0);
    await page.getByRole('link', { name: 'Machines', exact: true }).first().click();
    expect(await page.getByRole('link', { name: 'Set up' }).count()).toBe(0);
    await page.getByRole('link', { name: 'new' }).click();
    await page.getByText('Its owner or an administrator does that.').waitFor();
    expect(await page.getByRole('button', { name: 'Make a line to run' }).count()).toBe(0);
    await page.getByRole('link', { name: 'Machines', exact: true }).first().click();
    await page.getByRole('link', { name: 'mine' }).click();
    for (const button of buttons) await button.waitFor();
  });

  it('fit a phone 360 pixels wide', async () => {
    const page = await setup.open({ viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true });
    Object.assign(setup.edge.identity, { role: 'super_admin', tenants: [HOME, WORK] });
    setup.edge.identity.addPerson({
      username: 'somebody-with-quite-a-long-username-indeed-and-more',
      email: `${'long'.repeat(20)}@example.com`,
    });
    setup.edge.identity.addEntry({ username: 'somebody-with-quite-a-long-username-indeed-and-more' });
    const { agent_id } = setup.edge.add({
      name: 'a-machine-with-quite-a-long-name-indeed',
      os: 'Debian GNU/Linux 12 (bookworm) x86_64',
    });
    await signIn(page);
    const pages = ['/dashboard', '/machines', `/machines/${agent_id}`, '/running', '/terminal', '/nowhere', '/docs/api'];
    const account = ['/account', '/account/security', '/account/keys', '/accept-invite/x', '/oauth/callback'];
    const admin = ['people', 'groups', 'roles', 'audit', 'organization', 'organizations'].map((tab) => `/admin/${tab}`);
    for (const path of [...pages, ...account, ...admin]) {
      await page.goto(path);
      await page.getByRole('main').first().waitFor();
      expect(await page.evaluate(() => document.documentElement.scrollWidth), path).toBeLessThanOrEqual(360);
    }
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

describe('a long list of machines', () => {
  const setup = edgePerTest();

  function many(): void {
    for (let at = 1; at <= 200; at++) {
      const online = at % 40 === 0;
      setup.edge.add({ name: `m-${at}`, is_connected: online, tags: at % 2 === 0 ? ['even'] : [], group_ids: [] });
    }
  }

  const names = (page: Page): Promise<string[]> =>
    page.getByTestId('machine').evaluateAll((rows) => rows.map((row) => row.querySelector('a')?.textContent ?? ''));

  it('is narrowed and ordered in the address, which brings it to somebody else', async () => {
    const page = await setup.open();
    many();
    await signIn(page);
    await expect
      .poll(async () => (await names(page)).slice(0, 6))
      .toEqual(['m-40', 'm-80', 'm-120', 'm-160', 'm-200', 'm-1']);
    await page.getByLabel('Tag', { exact: true }).selectOption('even');
    await page.getByLabel('State', { exact: true }).selectOption('offline');
    await page.getByLabel('Order', { exact: true }).selectOption('name');
    await page.getByLabel('Search machines').fill('m-1');
    await expect.poll(async () => (await names(page)).slice(0, 3)).toEqual(['m-10', 'm-12', 'm-14']);
    const { search } = new URL(page.url());
    expect(search).toBe('?search=m-1&state=offline&tag=even&order=name');
    const other = await page.context().newPage();
    await other.goto(`/machines${search}`);
    await expect.poll(async () => (await names(other)).slice(0, 3)).toEqual(['m-10', 'm-12', 'm-14']);
  });

  it('is where it was on Back, with what was looked for', async () => {
    const page = await setup.open();
    many();
    await signIn(page);
    await page.getByLabel('Tag', { exact: true }).selectOption('even');
    await page.getByRole('link', { name: 'm-150', exact: true }).scrollIntoViewIfNeeded();
    const place = await page.evaluate(() => window.scrollY);
    expect(place).toBeGreaterThan(500);
    await page.getByRole('link', { name: 'm-150', exact: true }).click();
    await page.getByRole('heading', { name: 'm-150' }).waitFor();
    await expect.poll(() => page.evaluate(() => window.scrollY)).toBe(0);
    await page.goBack();
    await expect.poll(() => page.evaluate(() => window.scrollY)).toBe(place);
    expect(await page.getByLabel('Tag', { exact: true }).inputValue()).toBe('even');
  });

  it('has favourites at the top, also after a reload', async () => {
    const page = await setup.open();
    many();
    await signIn(page);
    await page.getByRole('button', { name: 'Keep m-199 at the top' }).click();
    await expect.poll(async () => (await names(page))[0]).toBe('m-199');
    await page.reload();
    await expect.poll(async () => (await names(page))[0]).toBe('m-199');
  });

  it('says of a machine what is wrong with it', async () => {
    const page = await setup.open();
    const { agent_id } = setup.edge.add({
      name: 'web-1',
      duplicate: { ip_address: '192.0.2.9', at: '2026-02-06T12:00:00Z' },
      metadata: { clock_offset_seconds: '300' },
    });
    await signIn(page, `/machines/${agent_id}`);
    await page.getByText('Another computer says that it is this machine').waitFor();
    await page.getByText(/vsay-agent configure --new-identity/).waitFor();
    await page.getByText('Its clock is wrong').waitFor();
  });
});
