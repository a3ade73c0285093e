import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PATIENCE, screen, signIn, typeLine, waitForScreen, waitForState } from './browser';
import { edgePerTest } from './setup';

/** The pages that the console declares, and where they are: read as text, as a component is none without the console. */
const DECLARED = readFileSync(new URL('../../src/pages.ts', import.meta.url), 'utf8').matchAll(
  /^ {2}'?([\w-]+)'?: page\('([^']+)', \{/gm,
);
const PATHS = new Map([...DECLARED].map(([, name = '', path = '']) => [name, path]));

/** Where each page is, with something there; what it then says that came from the server, and nothing else does. */
const SAYS: Record<string, { at?: string; text: string | RegExp; stranger?: true } | null> = {
  // These ask before they fetch anything.
  'sign-up': null,
  'forgot-password': null,
  'oauth-callback': null,
  'reset-password': null,
  'accept-invite': null,
  // Its document is a file beside the page.
  reference: null,
  'sign-in': { text: 'Continue with GitHub', stranger: true },
  setup: { text: 'Forgot', stranger: true },
  'verify-email': { at: '/verify-email/good', text: 'your mail address is confirmed', stranger: true },
  dashboard: { text: 'web-1' },
  machines: { text: 'web-1' },
  machine: { at: '/machines/000000000001', text: 'web-1' },
  terminals: { text: 'No session is running' },
  sessions: { text: 'No session is running' },
  session: { at: '/running/s-past', text: 'Session on web-1' },
  'sent-commands': { text: 'df -h /' },
  'sent-command': { at: `/commands/cmd_${'1'.padStart(24, '0')}`, text: 'df -h /' },
  community: { text: 'The disk is full' },
  issue: { at: '/community/i1', text: 'The disk is full' },
  requests: { text: 'Backups fail' },
  services: { text: 'grafana' },
  instances: { text: 'vc2-1c-1gb' },
  jobs: { text: 'Deploy grafana' },
  job: { at: '/jobs/0a1b2c3d', text: 'Deploy grafana' },
  service: { at: '/services/grafana', text: 'Add a user' },
  inventory: { text: 'Server' },
  tags: { text: 'production' },
  things: { at: '/inventory/server', text: 'web-1.example' },
  thing: { at: '/inventory/server/1', text: 'web-1.example' },
  // Leads to a terminal.
  ssh: { at: '/inventory/server/1/ssh', text: 'web-1.example' },
  schedules: { text: 'nightly' },
  schedule: { at: '/schedules/s1', text: 'Deploy grafana' },
  // Leads to a terminal.
  shared: { at: '/shared/good', text: 'bob’s terminal' },
  recording: { at: `/recordings/${'1'.padStart(24, '0')}`, text: 'ada on web-1' },
  profile: { text: 'Your username' },
  security: { text: 'Turn on' },
  keys: { text: 'vsay_ak_' },
  users: { text: 'ada@example.com' },
  groups: { text: 'operators' },
  group: { at: '/admin/groups/g1', text: 'operators' },
  roles: { text: 'super-admin' },
  audit: { text: /ada signed in/ },
  commands: { text: 'uptime' },
  alerts: { text: 'There are no rules yet.' },
  webhook: { at: '/admin/alerts/webhooks/w1', text: 'pager' },
  branding: { text: 'Save' },
  organization: { text: 'Save' },
  organizations: { text: '1 person' },
};

describe('a page that lost its server', () => {
  const setup = edgePerTest();

  it('is one of those that are looked at here', () => {
    expect(Object.keys(SAYS).sort()).toEqual([...PATHS.keys()].sort());
  });

  it.each(Object.entries(SAYS).filter(([, says]) => says !== null))('recovers by itself: %s', async (name, says) => {
    const page = await setup.open();
    const { edge } = setup;
    edge.add({ name: 'web-1' });
    edge.identity.role = 'super_admin';
    edge.identity.providers = { github_enabled: true };
    edge.identity.groups.push({ id: 'g1', name: 'operators', description: '', members: [], machines: [] });
    edge.identity.organizations.push({ ...edge.identity.settings });
    edge.identity.addEntry();
    edge.identity.addCommand({ command: 'uptime' });
    edge.identity.commands.send('000000000001', { command: 'df -h /' }, null);
    edge.recordings.add('000000000001', 'recorded');
    edge.identity.alerting.webhook({ name: 'pager', url: 'https://hooks.example.org' });
    edge.identity.serving.add({ name: 'grafana', scripts: [{ name: 'add-user', label: 'Add a user' }] });
    edge.identity.renting.add('web-1');
    edge.identity.working.add({});
    edge.identity.scheduling.add({});
    edge.identity.keeping.servers();
    edge.identity.keeping.add('server', { hostname: 'web-1.example' });
    edge.identity.keeping.tag('production');
    edge.identity.community.write({ title: 'The disk is full' });
    edge.identity.requests.ask({ request_note: 'Backups fail' });
    edge.sharing.invite('000000000001', true, 'good');
    if (!says?.stranger) await signIn(page);
    edge.broken = 503;
    await page.goto(says?.at ?? PATHS.get(name) ?? '');
    await page.locator('#app > *').first().waitFor();
    await page.waitForResponse((response) => response.status() === 503);
    edge.broken = null;
    await page
      .getByText(says?.text ?? '')
      .first()
      .waitFor();
  });

  it('says that it keeps trying, and does', async () => {
    const page = await setup.open();
    setup.edge.identity.role = 'company_admin';
    await signIn(page);
    setup.edge.broken = 503;
    await page.goto('/admin/roles');
    await page.getByText('This page keeps trying.').first().waitFor();
    setup.edge.broken = null;
    await page.getByRole('button', { name: 'Add role' }).waitFor();
    await expect.poll(() => page.getByText('keeps trying').count(), { timeout: PATIENCE }).toBe(0);
  });

  it('does not say so of what was tried once', async () => {
    const page = await setup.open();
    await page.goto('/sign-in');
    await page.getByLabel('Email or username').fill('ada');
    await page.getByLabel('Password').fill('correct horse');
    setup.edge.broken = 503;
    await page.getByRole('button', { name: 'Sign in' }).click();
    const said = page.getByRole('alert');
    await said.waitFor();
    expect(await said.textContent()).not.toContain('keeps trying');
  });

  it('reads a list again by its tag: what has not changed does not travel', async () => {
    const page = await setup.open();
    for (let at = 0; at < 200; at++) setup.edge.add();
    await signIn(page);
    await page.getByText('machine-200', { exact: true }).waitFor();
    const read = (): { count: number; bytes: number } =>
      setup.edge.answered.get('GET /api/machines') ?? { count: 0, bytes: 0 };
    const first = read();
    expect(first.bytes).toBeGreaterThan(50_000);
    await expect.poll(() => read().count, { timeout: PATIENCE }).toBeGreaterThan(first.count + 1);
    expect(read().bytes).toBe(first.bytes);
    const [machine] = setup.edge.machines.values();
    if (machine) machine.name = 'renamed';
    await page.getByText('renamed', { exact: true }).waitFor();
  });
});

describe('a terminal whose network swallows what is typed', () => {
  const setup = edgePerTest();

  it('says so within seconds, gives the link up, and types it once there is another', async () => {
    const page = await setup.open();
    setup.edge.add({ name: 'web-1' });
    await signIn(page);
    await page.getByRole('button', { name: 'Connect to web-1' }).click();
    await waitForScreen(page, '$');
    const session = (await page.getByTestId('terminal').getAttribute('data-session')) ?? '';
    setup.edge.shellOf(session).swallow();
    await typeLine(page, 'echo through-$((1+1))');
    await page.getByText('Waiting for the machine…').waitFor();
    await waitForScreen(page, '\nthrough-2\n');
    expect((await screen(page)).match(/^through-2$/gm)).toHaveLength(1);
    await waitForState(page, 'connected');
  });

  it('shows a terminal at the size that somebody else gave it, and says who', async () => {
    const page = await setup.open();
    setup.edge.add({ name: 'web-1' });
    await signIn(page);
    await page.getByRole('button', { name: 'Connect to web-1' }).click();
    await waitForScreen(page, '$');
    const shell = setup.edge.shellOf((await page.getByTestId('terminal').getAttribute('data-session')) ?? '');
    const own = shell.sizes.at(-1) ?? { cols: 0, rows: 0 };
    shell.say({ type: 'resized', cols: 40, rows: 12, by: 'bob' });
    await page.getByText('sized by bob').waitFor();
    await page.getByText('40×12').waitFor();
    expect(await page.locator('[data-framed] .xterm-screen').count()).toBe(1);
    shell.say({ type: 'resized', ...own, by: 'ada' });
    await page.getByText(`${own.cols}×${own.rows}`).waitFor();
    expect(await page.getByTestId('sized-by').count()).toBe(0);
  });

  it('asks before it is left, once somebody typed there', async () => {
    const page = await setup.open();
    setup.edge.add({ name: 'web-1' });
    await signIn(page);
    await page.getByRole('button', { name: 'Connect to web-1' }).click();
    await waitForScreen(page, '$');
    let asked = 0;
    page.on('dialog', (dialog) => {
      asked++;
      void dialog.accept();
    });
    await page.reload();
    await waitForScreen(page, '$');
    expect(asked).toBe(0);
    await typeLine(page, 'echo in-use');
    await waitForScreen(page, '\nin-use\n');
    await page.reload();
    await waitForScreen(page, '\nin-use\n');
    expect(asked).toBe(1);
  });
});
