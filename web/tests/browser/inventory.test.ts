import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { signIn, typeLine, waitForScreen, waitForState } from './browser';
import { action, field, type Inventory } from './edge/inventory';
import { edgePerTest } from './setup';

describe('the inventory', () => {
  const setup = edgePerTest();

  /** Two servers, of which the first has a secret. */
  function servers(): Inventory {
    const { keeping } = setup.edge.identity;
    keeping.servers();
    keeping.add(
      'server',
      { hostname: 'web-1', power: 'running', cores: 4, vultr_label: 'my web' },
      { default_password: 'hunter2' },
    );
    keeping.add('server', { hostname: 'db-1', power: 'stopped', cores: 8 });
    return keeping;
  }

  async function opened(path: string): Promise<Page> {
    const page = await setup.open();
    await signIn(page, path);
    return page;
  }

  it('has types, and those of one’s own are made of fields and actions', async () => {
    const keeping = servers();
    const page = await opened('/machines');
    await page.getByRole('link', { name: 'Inventory' }).click();
    await page.getByTestId('type').filter({ hasText: 'Server' }).getByText('2 objects').waitFor();
    expect(await page.getByRole('button', { name: 'Edit Server' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Add type' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Label', { exact: true }).first().fill('Rack');
    await dialog.getByLabel('Name in paths').fill('rack');
    await dialog.getByTestId('field').locator('summary').click();
    await dialog.getByTestId('field').getByLabel('Name', { exact: true }).fill('two words');
    await dialog.getByRole('button', { name: 'Add action' }).click();
    const made = dialog.getByTestId('action');
    await made.getByLabel('Name', { exact: true }).fill('audit');
    await made.getByLabel('What it does').selectOption('Run a playbook');
    await made.getByLabel('Playbook').fill('/services/ops/audit.yaml');
    await made.getByLabel('Variables').fill('host={{ name }}');
    await dialog.getByRole('button', { name: 'Add type' }).click();
    await dialog.getByText('Must begin with a letter or _').waitFor();
    await dialog.getByTestId('field').getByLabel('Name', { exact: true }).fill('name');
    await dialog.getByRole('button', { name: 'Add type' }).click();
    await page.getByRole('link', { name: 'Rack' }).waitFor();
    const sent = setup.edge.identity.said.findLast(({ route }) => route === 'POST /api/inventory/types');
    expect(sent?.body).toMatchObject({
      actions: [
        {
          name: 'audit',
          playbook: '/services/ops/audit.yaml',
          vars_mapping: { host: '{{ name }}' },
        },
      ],
    });
    await page.getByRole('button', { name: 'Delete Rack' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete type' }).click();
    await expect.poll(() => keeping.types.length).toBe(1);
  });

  it('lists what is asked for, which stands in the address', async () => {
    const keeping = servers();
    for (let at = 0; at < 40; at++)
      keeping.add('server', { hostname: `node-${String(at).padStart(2, '0')}`, power: 'running' });
    const tag = keeping.tag('production', '#e8984a');
    keeping.things[1]?.tags.push(tag);
    const page = await opened('/inventory/server');
    const rows = page.getByTestId('thing');
    await page.getByText('1–25 of 42').waitFor();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('26–42 of 42').waitFor();
    expect(new URL(page.url()).search).toBe('?page=2');
    await page.reload();
    await page.getByText('26–42 of 42').waitFor();
    await page.getByRole('button', { name: 'hostname' }).click();
    await rows.first().getByText('db-1').waitFor();
    await page.getByRole('button', { name: 'hostname' }).click();
    await rows.first().getByText('web-1').waitFor();
    expect(new URL(page.url()).search).toBe('?sort=hostname&order=desc');
    await page.getByLabel('Field').selectOption('power');
    await page.getByLabel('power is').selectOption('stopped');
    await expect.poll(() => rows.count()).toBe(1);
    await page.getByLabel('Field').selectOption('');
    await page.getByLabel('Tag', { exact: true }).selectOption('production');
    await expect.poll(() => rows.count()).toBe(1);
    await rows.getByRole('cell').getByTestId('tag').waitFor();
    await page.getByLabel('Search').fill('nothing');
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.getByText('1–25 of 42').waitFor();
  });

  it('has things made and changed by the fields of their type', async () => {
    const { keeping } = setup.edge.identity;
    const fields = [
      field('hostname', 'string', { required: true }),
      ...['enum', 'boolean', 'integer', 'datetime', 'text', 'json', 'secret'].map((type) =>
        field(`a_${type}`, type, type === 'enum' ? { options: ['x'] } : {}),
      ),
    ];
    keeping.type('server', 'Server', { fields });
    const page = await opened('/inventory/server');
    await page.getByRole('button', { name: 'Add the first' }).click();
    const dialog = page.getByRole('dialog');
    const add = dialog.getByRole('button', { name: 'Add', exact: true });
    await dialog.getByLabel('a json').fill('{');
    await add.click();
    await dialog.getByText('This is not JSON.').waitFor();
    await dialog.getByLabel('a json').fill('{"b": 1}');
    await add.click();
    await dialog.getByText('Is required.').waitFor();
    await dialog.getByLabel('hostname').fill('web-1');
    await dialog.getByLabel('a enum').selectOption('x');
    await dialog.getByLabel('a boolean').selectOption('Yes');
    await dialog.getByLabel('a integer').fill('4');
    await dialog.getByLabel('a text').fill('one\ntwo');
    await dialog.getByLabel('a secret', { exact: false }).first().fill('hunter2');
    await add.click();
    await page.waitForURL('**/inventory/server/1');
    const [thing] = keeping.things;
    expect(thing?.data).toEqual({
      hostname: 'web-1',
      a_enum: 'x',
      a_boolean: true,
      a_integer: 4,
      a_text: 'one\ntwo',
      a_json: { b: 1 },
    });
    await page.getByRole('button', { name: 'Edit' }).click();
    expect(await dialog.locator('input[type=password]').getAttribute('placeholder')).toBe('••••••••');
    await dialog.getByLabel('a integer').fill('5');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByTestId('values').getByText('5', { exact: true }).waitFor();
    const said = setup.edge.identity.said.findLast(({ route }) => route === 'PUT /api/inventory/server/1');
    expect(said?.body).toEqual({ data: { a_integer: 5 } });
    expect(thing?.secrets).toEqual({ a_secret: 'hunter2' });
    await page.getByRole('button', { name: 'Edit' }).click();
    await dialog.getByLabel('Take it away').check();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await expect.poll(() => thing?.secrets).toEqual({});
  });

  it('shows a secret to whoever asks, for a while', async () => {
    servers();
    const page = await setup.open();
    await page.clock.install();
    await signIn(page, '/inventory/server/1');
    await page.getByRole('button', { name: 'Reveal default password' }).click();
    await page.getByRole('dialog').getByText('The audit log says').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Reveal' }).click();
    await page.getByText('hunter2').waitFor();
    await page.getByRole('button', { name: 'Copy default password' }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('hunter2');
    await page.clock.runFor(31_000);
    await expect.poll(() => page.getByText('hunter2').count()).toBe(0);
  });

  it('does what may be done, once somebody has said so, and shows the job', async () => {
    const keeping = servers();
    const page = await opened('/inventory/server/1');
    const dialog = page.getByRole('dialog');
    await page.getByRole('button', { name: 'restart' }).click();
    await dialog.getByText('Whatever runs there is gone for a minute.').waitFor();
    await dialog.getByRole('button', { name: 'restart' }).click();
    await page.getByTestId('log').waitFor();
    const job = setup.edge.identity.working.find('0a1b2c3d');
    job?.write('PLAY [all]');
    await waitForScreen(page, 'PLAY [all]');
    job?.end({ status: 'completed' });
    await page.getByTestId('job').getByText('Done').waitFor();
    await page.getByRole('button', { name: 'destroy' }).click();
    expect(await dialog.getByRole('button', { name: 'destroy' }).isDisabled()).toBe(true);
    await dialog.getByLabel('Type my web to confirm').fill('my web');
    await dialog.getByRole('button', { name: 'destroy' }).click();
    const destroyed = { slug: 'server', id: '1', name: 'destroy', inputs: { confirm: 'my web' } };
    await expect.poll(() => keeping.asked.at(-1)).toEqual(destroyed);
    await page.getByTestId('job').nth(1).waitFor();
    await page.goto('/jobs/0a1b2c3d');
    await page.getByRole('link', { name: 'What it is about' }).click();
    await page.waitForURL('**/inventory/server/1');
  });

  it('runs the script of a service that somebody chooses, with what it asks for', async () => {
    const { keeping, serving } = setup.edge.identity;
    keeping.type('service', 'Service', {
      fields: [field('name', 'string')],
      actions: [action('run_script', 'dynamic_scripts')],
    });
    keeping.add('service', { name: 'grafana' });
    serving.add({
      name: 'grafana',
      scripts: [{ name: 'backup', label: 'Back up', inputs: [{ name: 'host', label: 'Host' }] }],
    });
    const page = await opened('/inventory/service/1');
    await page.getByRole('button', { name: 'run script' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Script').selectOption('Back up');
    await dialog.getByLabel('Host').fill('db');
    await dialog.getByRole('button', { name: 'Run' }).click();
    const run = { slug: 'service', id: '1', name: 'run_script', script: 'backup', inputs: { host: 'db' } };
    await expect.poll(() => keeping.asked.at(-1)).toEqual(run);
    await page.getByTestId('log').waitFor();
  });

  it('syncs a type, does what is about all of it, and exports it', async () => {
    const keeping = servers();
    const page = await opened('/inventory/server?search=web');
    await page.getByTestId('thing').waitFor();
    await page.getByRole('button', { name: 'Sync' }).click();
    await expect.poll(() => keeping.syncs).toBe(1);
    await page.getByRole('button', { name: 'refresh' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'refresh' }).click();
    await page.getByTestId('log').waitFor();
    expect(keeping.asked).toEqual([{ slug: 'server', name: 'refresh' }]);
    await page.getByRole('button', { name: 'Export' }).click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('menuitem', { name: 'Ansible inventory' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('server.yaml');
    expect(await readFile(await download.path(), 'utf8')).toBe('server as format=ansible');
  });

  it('has tags, which are given and taken, and let roles do things', async () => {
    const keeping = servers();
    setup.edge.identity.roles.push({ id: 2, name: 'operators', description: '', permission_ids: [], user_count: 0 });
    const page = await opened('/inventory/tags');
    const dialog = page.getByRole('dialog');
    await page.getByRole('button', { name: 'Add tag' }).click();
    await dialog.getByLabel('Name').fill('production');
    await dialog.getByLabel('With a colour').check();
    await dialog.getByLabel('Colour', { exact: true }).fill('#e8984a');
    await dialog.getByRole('button', { name: 'Add tag' }).click();
    await page.getByTestId('tag-row').getByText('Nothing has it').waitFor();
    expect(keeping.tags).toEqual([{ id: 1, name: 'production', color: '#e8984a' }]);
    await page.getByRole('button', { name: 'Permissions of production' }).click();
    await dialog.getByLabel('Whoever has the role').selectOption('operators');
    await dialog.getByLabel('May').selectOption('restart');
    await dialog.getByRole('button', { name: 'Add permission' }).click();
    await dialog.getByText('may use “restart” on whatever has this tag').waitFor();
    await dialog.getByRole('button', { name: /^Remove/ }).click();
    await dialog.getByText('It lets nobody do anything.').waitFor();
    await page.keyboard.press('Escape');
    await page.goto('/inventory/server/1');
    await page.getByLabel('Add a tag').selectOption('production');
    await page.getByRole('button', { name: 'Take the tag production away' }).click();
    await expect.poll(() => keeping.things[0]?.tags).toEqual([]);
  });

  it('has rules in words, and says what is lost with a thing', async () => {
    const keeping = servers();
    setup.edge.identity.roles.push({ id: 2, name: 'operators', description: '', permission_ids: [], user_count: 0 });
    const page = await opened('/inventory/server/1');
    const dialog = page.getByRole('dialog');
    await page.getByRole('button', { name: 'Add rule' }).click();
    await dialog.getByLabel('Whoever has the role').selectOption('operators');
    await dialog.getByLabel('Effect').selectOption('may not');
    await dialog.getByLabel('What').selectOption('ssh');
    await dialog.getByRole('button', { name: 'Add rule' }).click();
    await page.getByTestId('rule').getByText('Whoever has the role operators may not use “ssh” on it').waitFor();
    await page.getByRole('button', { name: 'Delete' }).click();
    await dialog.getByText('4 values, 1 secret, 1 rule about it').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: /^Remove the rule/ }).click();
    await dialog.getByRole('button', { name: 'Remove rule' }).click();
    await page.getByText('There are none: roles and tags alone').waitFor();
    await page.getByRole('button', { name: 'Delete' }).click();
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await page.waitForURL('**/inventory/server');
    expect(keeping.things.length).toBe(1);
  });

  it('opens terminals by SSH as others are, which a reload finds again', async () => {
    const { users } = servers();
    const page = await opened('/inventory/server/1');
    await page.getByRole('button', { name: 'ssh' }).click();
    await page.getByLabel('User at the host').fill('deploy');
    await page.getByRole('button', { name: 'Connect' }).click();
    await waitForState(page, 'connected');
    await typeLine(page, 'kept=treasure; echo set');
    await waitForScreen(page, '\nset\n');
    await page.reload();
    await waitForScreen(page, '\nset\n');
    expect(users).toEqual(['deploy', 'deploy']);
    expect(setup.edge.shells.size).toBe(1);
    await page.goBack();
    await page.getByRole('heading', { name: 'web-1' }).waitFor();
  });

  it('shows to whoever may only look nothing else to do', async () => {
    Object.assign(setup.edge.identity, { role: 'user', permissions: ['inventory.server.view'] });
    const keeping = servers();
    keeping.tag('production');
    keeping.may = ['view'];
    const page = await opened('/inventory/server');
    await page.getByTestId('thing').first().waitFor();
    const main = page.getByRole('main');
    expect(await main.getByRole('button', { name: /Add|refresh/ }).count()).toBe(0);
    await page.getByRole('link', { name: 'web-1' }).click();
    await page.getByText('is set, and not shown to you').waitFor();
    expect(await main.getByRole('button').allTextContents()).toEqual(
      expect.not.arrayContaining(['Edit', 'Delete', 'restart', 'ssh']),
    );
    await page.goto('/inventory/server/1/ssh');
    await page.getByText('You may not open a terminal on web-1.').waitFor();
    await page.goto('/inventory/tags');
    await page.getByTestId('tag-row').waitFor();
    expect(await main.getByRole('button').count()).toBe(0);
    keeping.may = [];
    await page.goto('/inventory');
    await page.getByText('None that you may see').waitFor();
  });

  it('fits on a phone', async () => {
    const keeping = servers();
    const tag = keeping.tag('production'.repeat(6), '#e8984a');
    const thing = keeping.add(
      'server',
      { hostname: 'host'.repeat(30), power: 'running', other: 'x'.repeat(200) },
      { default_password: 'y' },
    );
    thing.tags.push(tag);
    thing.rules.push({ id: 1, role_id: 2, role_name: 'r'.repeat(50), username: '', permission: 'view', effect: 'deny' });
    const page = await setup.open({ viewport: { width: 360, height: 740 } });
    await signIn(page, '/inventory');
    const overflow = (): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    for (const [path, there] of [
      ['/inventory', 'type'],
      ['/inventory/server', 'thing'],
      ['/inventory/server/3', 'rule'],
      ['/inventory/tags', 'tag-row'],
    ] as const) {
      await page.goto(path);
      await page.getByTestId(there).first().waitFor();
      expect(await overflow(), path).toBe(0);
    }
  });
});
