import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { signIn, waitForState } from './browser';
import { HOME, WORK } from './edge/administration';
import { action, field } from './edge/inventory';
import { edgePerTest } from './setup';

/** What axe finds wrong with the page as it is now. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations: found } = await page.evaluate(() => (window as unknown as { axe: typeof axe }).axe.run());
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} at ${target.join(' ')}: ${failureSummary ?? ''}`),
  );
}

describe.each(['light', 'dark'] as const)('in the %s theme', (colorScheme) => {
  const setup = edgePerTest();

  /** The pages of the inventory, and their dialogs. */
  async function inventory(page: Page, look: (name: string) => Promise<void>): Promise<void> {
    const { keeping } = setup.edge.identity;
    keeping.servers();
    keeping.type('rack', 'Rack', {
      fields: [field('name', 'string'), field('extra', 'json')],
      actions: [action('audit', 'playbook')],
    });
    keeping.tag('production', '#e8984a');
    const thing = keeping.add(
      'server',
      { hostname: 'web-1', power: 'running', other: [1] },
      { default_password: 'hunter2' },
    );
    thing.tags.push(1);
    thing.rules.push({ id: 1, role_id: 2, role_name: 'Auditor', username: 'Auditor', permission: 'ssh', effect: 'deny' });
    const dialog = async (name: string, opener: string): Promise<void> => {
      await page.getByRole('button', { name: opener, exact: true }).click();
      await page.getByRole('dialog').waitFor();
      await look(name);
      await page.keyboard.press('Escape');
    };
    await page.goto('/inventory');
    await page.getByTestId('type').filter({ hasText: '1 object' }).waitFor();
    await look('types');
    await page.getByRole('button', { name: 'Edit Rack' }).click();
    for (const part of ['field', 'action']) await page.getByTestId(part).first().locator('summary').click();
    await look('edit a type');
    await page.keyboard.press('Escape');
    await page.goto('/inventory/server?sort=hostname&field=power&value=running');
    await page.getByTestId('thing').waitFor();
    await look('things');
    await dialog('add a thing', 'Add');
    await page.getByTestId('thing').getByRole('link').first().click();
    await page.getByTestId('rule').waitFor();
    await look('thing');
    await dialog('destroy a thing', 'destroy');
    await dialog('add a rule', 'Add rule');
    await page.getByRole('button', { name: 'Reveal default password' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Reveal' }).click();
    await page.getByText('hunter2').waitFor();
    await look('secret');
    await page.goto('/inventory/tags');
    await page.getByTestId('tag-row').waitFor();
    await look('tags');
    await dialog('edit a tag', 'Edit production');
    await dialog('permissions of a tag', 'Permissions of production');
  }

  it('every page can be used with assistive technology', async () => {
    const page = await setup.open({ colorScheme });
    const found: Record<string, string[]> = {};
    const look = async (name: string): Promise<void> => {
      found[name] = await violations(page);
    };
    await page.goto('/sign-up');
    await page.getByLabel('Username').waitFor();
    await look('sign up');
    await signIn(page);
    await page.getByText('Add your first machine').waitFor();
    await look('no machines');
    await page.getByRole('button', { name: 'Add machine' }).click();
    await look('add machine');
    await page.getByLabel('Name').fill('new');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByTestId('command').waitFor();
    await look('enrol');
    await page.getByRole('button', { name: 'Later' }).click();
    const web = setup.edge.add({ name: 'web-1', cpu_percent: 99, description: 'Front door' });
    setup.edge.add({ name: 'attic', status: 'offline', is_connected: false });
    await page.getByRole('link', { name: 'web-1' }).waitFor();
    await look('machines');
    await page.getByRole('button', { name: 'Account' }).click();
    await page.getByText('ada@example.com').waitFor();
    await look('account menu');
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'web-1' }).click();
    await page.getByRole('button', { name: 'Connect', exact: true }).waitFor();
    await look('machine');
    const { id } = setup.edge.recordings.add(web.agent_id, 'played');
    await page.goto(`/recordings/${String(id)}`);
    await page.getByTestId('player').locator('.ap-player').waitFor();
    await look('recording');
    await page.goBack();
    await page.getByTestId('recording').waitFor();
    await look('recordings');
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await waitForState(page, 'connected');
    await look('terminal');
    const shell = setup.edge.shellOf((await page.getByTestId('terminal').getAttribute('data-session')) ?? '');
    const sent = { command_id: 'cmd_1', by: 'grace', command: 'apt-get update', stderr: '' };
    shell.say({ ...sent, type: 'command_running', part: 1, stdout: 'Reading\n' });
    await page.getByTestId('sent-command').waitFor();
    await look('terminal with a command');
    await page.getByRole('button', { name: 'Close web-1' }).click();
    await look('close terminal');
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Sessions' }).click();
    await page.getByTestId('session').waitFor();
    await look('sessions');
    const { commands } = setup.edge.identity;
    commands.end(commands.send(web.agent_id, { command: 'df -h /' }, null), { exit_code: 0, stdout: 'plenty\n' });
    await page.goto('/commands');
    await page.getByTestId('sent').waitFor();
    await look('sent commands');
    await page.getByTestId('sent').getByRole('link').click();
    await page.getByRole('region', { name: 'Output' }).waitFor();
    await look('sent command');
    const { serving } = setup.edge.identity;
    const inputs = ['string', 'list', 'select', 'password'].map((type) => ({ name: type, type, options: ['a'] }));
    serving.add({ name: 'grafana', scripts: [{ name: 'ask', label: 'Ask', inputs }], configs: ['config.yaml'] });
    serving.outputs.push({ name: 'admin', type: 'credential', label: 'Admin', username: 'root', value: 'secret' });
    serving.texts.set('grafana/inputs/hosts', 'one');
    await page.goto('/services');
    await page.getByTestId('service').waitFor();
    await look('services');
    await page.getByRole('link', { name: 'grafana' }).click();
    await page.getByTestId('file').waitFor();
    await page.getByRole('button', { name: 'config.yaml', exact: true }).click();
    await page.getByRole('textbox', { name: 'config.yaml' }).fill('a: 1');
    await look('service');
    await page.getByRole('button', { name: 'Review changes' }).click();
    await page.getByTestId('changes').waitFor();
    await look('changes of a config');
    await page.getByRole('button', { name: 'Run Ask' }).click();
    await look('run a script');
    await page.keyboard.press('Escape');
    const { renting, working } = setup.edge.identity;
    renting.add('web-1', { vultr_tags: ['grafana'] });
    renting.costs = { grafana: 5 };
    await page.goto('/instances');
    await page.getByTestId('bars').waitFor();
    await look('instances');
    await page.getByRole('button', { name: 'Destroy web-1' }).click();
    await look('destroy an instance');
    await page.keyboard.press('Escape');
    working.add({}).write('\x1b[32mok\x1b[m');
    await page.goto('/jobs');
    await page.getByTestId('job').waitFor();
    await look('jobs');
    await page.getByTestId('job').getByRole('link').click();
    await page.getByText('1 line').waitFor();
    await page.getByRole('button', { name: 'Find' }).click();
    await look('job');
    setup.edge.identity.scheduling.add({ script: 'ask', inputs: ['string'] });
    setup.edge.identity.scheduling.ran('s1', { outcome: 'missed', reason: 'Late' });
    await page.goto('/schedules');
    await page.getByTestId('schedule').waitFor();
    await look('schedules');
    await page.getByTestId('schedule').getByRole('link').first().click();
    await page.getByTestId('run').waitFor();
    await look('schedule');
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Give it other inputs').check();
    await page.getByTestId('preview').getByRole('listitem').first().waitFor();
    await look('edit a schedule');
    await page.keyboard.press('Escape');
    await inventory(page, look);
    setup.edge.identity.requests.ask({ request_note: 'Backups fail' });
    await page.goto('/requests');
    await page.getByText('Backups fail').waitFor();
    await look('access requests');
    await page.getByRole('button', { name: 'Reject grace’s request' }).click();
    await look('reject a request');
    const issue = setup.edge.identity.community.write({ tags: ['disk'], images: ['/icon.svg'] });
    setup.edge.identity.community.fix(issue, { accepted: true });
    await page.goto('/community');
    await page.getByTestId('issue').waitFor();
    await look('community');
    await page.getByRole('button', { name: 'New issue' }).click();
    await look('new issue');
    await page.goto('/community/i1');
    await page.getByTestId('fix').waitFor();
    await look('issue');
    expect(Object.fromEntries(Object.entries(found).filter(([, list]) => list.length > 0))).toEqual({});
  });

  it('so can signing in, the account and the administration', async () => {
    const { identity } = setup.edge;
    Object.assign(identity, {
      role: 'super_admin',
      tenants: [HOME, WORK],
      steps: ['tenant', 'code', 'factor'],
      providers: { github_enabled: true },
    });
    identity.addPerson({ username: 'grace', enabled: false });
    identity.addPerson({ username: 'linus', pending: true, mfa_enabled: true });
    identity.groups.push({
      id: 'g1',
      name: 'Operators',
      description: 'They operate',
      members: ['2'],
      machines: ['000000000001'],
    });
    identity.roles.push({ id: 2, name: 'Auditor', description: '', permission_ids: [15], user_count: 0 });
    identity.organizations.push({
      id: 'o2',
      name: 'acme',
      display_name: 'Acme',
      description: '',
      enabled: false,
      user_count: 1,
      machine_count: 0,
    });
    identity.addEntry({ status: 'failure', details: { old: 1 } });
    const page = await setup.open({ colorScheme });
    const found: Record<string, string[]> = {};
    const look = async (name: string): Promise<void> => {
      found[name] = await violations(page);
    };
    const dialog = async (name: string, opener: string): Promise<void> => {
      await page.getByRole('button', { name: opener }).first().click();
      await page.getByRole('dialog').waitFor();
      await page.getByText('Loading…').first().waitFor({ state: 'detached' });
      await look(name);
      await page.keyboard.press('Escape');
    };
    await page.goto('/sign-in');
    await page.getByRole('link', { name: 'Continue with GitHub' }).waitFor();
    await look('sign in');
    await page.getByLabel('Email or username').fill('ada');
    await page.getByLabel('Password').fill('correct horse');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'Acme Corporation' }).waitFor();
    await look('organization');
    await page.getByRole('button', { name: /machines/ }).click();
    await page.getByLabel('Code from the mail').fill('000000');
    await page.keyboard.press('Enter');
    await page.getByText('You can try 2 more times.').waitFor();
    await look('code');
    await page.getByLabel('Code from the mail').fill('123456');
    await page.keyboard.press('Enter');
    await page.getByLabel('Code from your authenticator').fill('654321');
    await look('second factor');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Organization' }).click();
    await page.getByRole('menuitem', { name: 'Acme Corporation' }).waitFor();
    await look('organization menu');
    await page.goto('/account');
    await page.getByLabel('Display name').waitFor();
    await look('profile');
    await page.goto('/account/security');
    await dialog('enrol a factor', 'Turn on');
    await page.goto('/account/keys');
    await page.getByText('You have no keys.').waitFor();
    await look('keys');
    await dialog('new key', 'New key');
    await page.goto('/admin/people');
    await page.getByTestId('person').first().waitFor();
    await look('people');
    await dialog('add person', 'Add person');
    await page.goto('/admin/groups/g1');
    await page.getByTestId('member').waitFor();
    await look('group');
    await dialog('choose people', 'Add people');
    await page.goto('/admin/roles');
    await dialog('role', 'Edit Auditor');
    await page.goto('/admin/audit');
    await page.getByRole('button', { name: 'Verify chain' }).click();
    await page.getByTestId('verdict').waitFor();
    await look('audit');
    await dialog('entry', 'ada signed in');
    identity.alerting.raise({ count: 2 });
    identity.alerting.webhook({ name: 'pager', url: 'https://hooks.example.org' });
    await page.goto('/admin/alerts');
    await page.getByTestId('alert').waitFor();
    await page.getByTestId('webhook').waitFor();
    await look('alerts');
    await dialog('rule', 'Add rule');
    await dialog('webhook', 'Add webhook');
    await page.getByRole('link', { name: 'pager' }).click();
    await page.getByRole('button', { name: 'Send a test' }).click();
    await page.getByTestId('delivery').waitFor();
    await look('deliveries');
    await page.goto('/admin/organization');
    await page.getByRole('button', { name: 'Save settings' }).waitFor();
    await look('settings');
    await page.goto('/admin/organizations');
    await page.getByTestId('organization').waitFor();
    await look('organizations');
    for (const path of ['/forgot-password', '/reset-password/x', '/accept-invite/x', '/oauth/callback']) {
      await page.goto(path);
      await page.getByRole('heading').first().waitFor();
      await look(path);
    }
    expect(Object.fromEntries(Object.entries(found).filter(([, list]) => list.length > 0))).toEqual({});
  }, 60_000);
});
