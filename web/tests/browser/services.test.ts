import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { signIn } from './browser';
import { edgePerTest } from './setup';

const SCRIPTS = [
  { name: 'deploy', label: 'Deploy', file: 'deploy.sh' },
  {
    name: 'add-user',
    label: 'Add a user',
    description: 'Makes an account there.',
    inputs: [
      { name: 'username', label: 'Username', required: true },
      { name: 'groups', label: 'Groups', type: 'list' },
      { name: 'shell', label: 'Shell', type: 'select', options: ['bash', 'zsh'] },
      { name: 'target', label: 'Target', type: 'deployment_select' },
      { name: 'secret', label: 'Secret', type: 'password' },
    ],
  },
];

describe('services', () => {
  const setup = edgePerTest();

  function grafana(): void {
    setup.edge.identity.serving.add({
      name: 'grafana',
      deployed: true,
      scripts: SCRIPTS,
      configs: ['config.yaml'],
      instances: [
        { label: 'grafana-1', hostname: 'g1', plan: 'vc2-1c-1gb', region: 'mel', os: 'Ubuntu', tags: ['grafana'] },
      ],
    });
  }

  async function opened(): Promise<Page> {
    const page = await setup.open();
    await signIn(page, '/services');
    await page.getByRole('link', { name: 'grafana' }).click();
    await page.getByRole('heading', { name: 'grafana' }).waitFor();
    return page;
  }

  it('have a vault password that is set, replaced and removed, and never shown', async () => {
    const { serving } = setup.edge.identity;
    grafana();
    const page = await setup.open();
    await signIn(page, '/services');
    const vault = page.getByTestId('vault');
    await vault.getByText('None.').waitFor();
    await vault.getByRole('button', { name: 'Set' }).click();
    await page.getByLabel('Vault password', { exact: true }).fill('open sesame');
    await page.getByRole('button', { name: 'Save' }).click();
    await vault.getByText('Set by ada').waitFor();
    expect(serving.vault).toBe('open sesame');
    expect(await page.content()).not.toContain('open sesame');
    await vault.getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await vault.getByText('None.').waitFor();
    expect(serving.vault).toBe(null);
  });

  it('are listed with whose they are and how old that is, and found by name', async () => {
    const { serving } = setup.edge.identity;
    grafana();
    serving.add({ name: 'mail', problems: ['scripts.yaml: line 3'], conflict: true });
    const page = await setup.open();
    await signIn(page, '/machines');
    await page.getByRole('link', { name: 'Services' }).click();
    const services = page.getByTestId('service');
    await services.filter({ hasText: 'grafana' }).getByText('Deployed').waitFor();
    await services.filter({ hasText: 'mail' }).getByText('Has problems').waitFor();
    expect(await page.getByTestId('runner').first().textContent()).toBe('Online');
    serving.online = false;
    await page.getByText('Offline, as it was').first().waitFor();
    await page.getByLabel('Search services').fill('graf');
    expect(await services.count()).toBe(1);
    await page.getByLabel('Search services').fill('nothing');
    await page.getByRole('button', { name: 'Show all' }).click();
    expect(await services.count()).toBe(2);
  });

  it('are not there for whoever has no role for them', async () => {
    Object.assign(setup.edge.identity, { role: 'user', permissions: [] });
    const page = await setup.open();
    await signIn(page, '/services');
    await page.getByText('This is for those who have a role for services').waitFor();
    expect(await page.getByRole('navigation').getByRole('link', { name: 'Services' }).count()).toBe(0);
  });

  it('run scripts with what these ask for', async () => {
    const { serving } = setup.edge.identity;
    grafana();
    const page = await opened();
    await page.getByRole('button', { name: 'Run Add a user' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Run', exact: true }).click();
    await dialog.getByText('Is required.').waitFor();
    await dialog.getByLabel('Username').fill('ada');
    await dialog.getByLabel('Groups').fill('ops\n\nstaff\n');
    await dialog.getByLabel('Shell').selectOption('zsh');
    await dialog.getByLabel('Target').selectOption('grafana');
    await dialog.getByLabel('Secret').fill('s3cret');
    await dialog.getByRole('button', { name: 'Run', exact: true }).click();
    await page.waitForURL('**/jobs/0a1b2c3d');
    expect(serving.runs.at(-1)).toEqual({
      script: 'add-user',
      inputs: { username: 'ada', groups: ['ops', 'staff'], shell: 'zsh', target: 'grafana', secret: 's3cret' },
    });
  });

  it('are deployed once somebody has said so, and not while their runner is away', async () => {
    grafana();
    const page = await opened();
    await page.getByRole('button', { name: 'Deploy' }).click();
    await page.getByRole('dialog').getByText('grafana-1, vc2-1c-1gb, mel').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Deploy' }).click();
    await page.waitForURL('**/jobs/0a1b2c3d');
    setup.edge.identity.serving.online = false;
    await page.goto('/services/grafana');
    await page.getByText('Nothing can run while web-1 is offline.').waitFor();
    expect(await page.getByRole('button', { name: 'Deploy' }).isDisabled()).toBe(true);
    await page.getByText('Runner is not connected').first().waitFor();
  });

  it('warn before they run what asks questions that nobody can answer', async () => {
    setup.edge.identity.serving.add({ name: 'grafana', scripts: SCRIPTS, asks: ['main.yaml', 'wipe.yml'] });
    const page = await opened();
    for (const button of ['Deploy', 'Run Add a user']) {
      await page.getByRole('button', { name: button, exact: true }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByText('Nobody can answer what these playbooks ask').waitFor();
      await dialog.getByText('main.yaml, wipe.yml').waitFor();
      await dialog.getByRole('button', { name: 'Cancel' }).click();
    }
  });

  it('have configs: what changes is shown before it is saved, and what is wrong is said', async () => {
    const { serving } = setup.edge.identity;
    grafana();
    serving.texts.set('grafana/config.yaml', 'port: 3000\nusers:\n  - ada\n');
    const page = await opened();
    await page.getByRole('button', { name: 'config.yaml', exact: true }).click();
    const text = page.getByRole('textbox', { name: 'config.yaml' });
    await text.fill('port: 3001\nusers:\n  - ada\n');
    await page.getByRole('button', { name: 'Review changes' }).click();
    const changes = page.getByTestId('changes');
    await changes.waitFor();
    expect(await changes.locator('[data-kind=gone]').textContent()).toContain('port: 3000');
    expect(await changes.locator('[data-kind=new]').textContent()).toContain('port: 3001');
    await page.getByRole('button', { name: 'Save config.yaml' }).click();
    await page.getByText('Saved', { exact: true }).waitFor();
    expect(serving.texts.get('grafana/config.yaml')).toBe('port: 3001\nusers:\n  - ada\n');
    // Somebody else saves it, and then this person something that is no YAML.
    serving.texts.set('grafana/config.yaml', 'port: 9\n');
    await text.fill('port: [1\n');
    await page.getByRole('button', { name: 'Review changes' }).click();
    await page.getByText('Somebody has changed config.yaml since you opened it.').waitFor();
    await page.getByRole('button', { name: 'Save config.yaml' }).click();
    await page.getByText('Invalid YAML: line 2 has a list that does not end.').waitFor();
    expect(await text.inputValue()).toBe('port: [1\n');
    expect(serving.texts.get('grafana/config.yaml')).toBe('port: 9\n');
  });

  it('have files, which come and go', async () => {
    const { texts } = setup.edge.identity.serving;
    grafana();
    texts.set('grafana/inputs/hosts', 'one\n');
    const page = await opened();
    const files = page.getByRole('list', { name: 'Input files' }).getByTestId('file');
    await files.getByText('hosts').waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download hosts' }).click(),
    ]);
    expect(await readFile(await download.path(), 'utf8')).toBe('one\n');
    await page.getByRole('button', { name: 'Edit hosts' }).click();
    await page.getByRole('textbox', { name: 'hosts' }).fill('one\ntwo\n');
    await page.getByRole('button', { name: 'Review changes' }).click();
    await page.getByRole('button', { name: 'Save hosts' }).click();
    await expect.poll(() => texts.get('grafana/inputs/hosts')).toBe('one\ntwo\n');
    const upload = page.getByLabel('File to upload to inputs');
    await upload.setInputFiles({ name: 'new', mimeType: 'text/plain', buffer: Buffer.from('x') });
    await files.getByText('new', { exact: true }).waitFor();
    // One that is there already waits for a word.
    await upload.setInputFiles({ name: 'hosts', mimeType: 'text/plain', buffer: Buffer.from('x') });
    await page.getByRole('dialog').getByRole('button', { name: 'Replace file' }).click();
    await expect.poll(() => texts.get('grafana/inputs/hosts')).toBe('uploaded hosts');
    await page.getByRole('button', { name: 'Delete hosts' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete file' }).click();
    await files.getByText('hosts.backup').waitFor();
    expect(await files.getByText('hosts', { exact: true }).count()).toBe(0);
  });

  it('say what they are once they are deployed, secrets only when they are asked for', async () => {
    grafana();
    setup.edge.identity.serving.outputs.push(
      { name: 'url', type: 'url', label: 'Dashboard', value: 'https://grafana.example.org/' },
      { name: 'bad', type: 'url', label: 'Trap', value: 'javascript:alert(1)' },
      { name: 'admin', type: 'credential', label: 'Admin', username: 'root', value: 'hunter2' },
      { name: 'hidden', type: 'credential', label: 'Hidden', value: '********' },
    );
    const page = await opened();
    const outputs = page.getByTestId('output');
    expect(await outputs.getByRole('link').evaluateAll((links) => links.map((link) => link.getAttribute('href')))).toEqual([
      'https://grafana.example.org/',
    ]);
    expect(await page.getByText('hunter2').count()).toBe(0);
    await page.getByRole('button', { name: 'Reveal Admin' }).click();
    await page.getByText('hunter2').waitFor();
    expect(await page.getByRole('button', { name: 'Reveal Hidden' }).count()).toBe(0);
  });

  it('fit on a phone', async () => {
    grafana();
    const { serving } = setup.edge.identity;
    serving.texts.set('grafana/config.yaml', `key: ${'long '.repeat(60)}\n`);
    serving.texts.set(`grafana/inputs/${'name'.repeat(30)}`, 'x');
    const page = await setup.open({ viewport: { width: 360, height: 740 } });
    await signIn(page, '/services');
    const overflow = (): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    await page.getByRole('link', { name: 'grafana' }).waitFor();
    expect(await overflow()).toBe(0);
    await page.getByRole('link', { name: 'grafana' }).click();
    await page.getByRole('button', { name: 'config.yaml', exact: true }).click();
    await page.getByRole('textbox', { name: 'config.yaml' }).fill('key: other\n');
    await page.getByRole('button', { name: 'Review changes' }).click();
    await page.getByTestId('changes').waitFor();
    expect(await overflow()).toBe(0);
    await page.getByRole('button', { name: 'Run Add a user' }).click();
    expect(await overflow()).toBe(0);
  });
});
