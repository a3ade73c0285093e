import { describe, expect, it } from 'vitest';
import { signIn } from './browser';
import { edgePerTest } from './setup';

/** Bytes of script that the sign-in page and the list of machines may take, before compression. The terminal alone is more. */
const MOST_SCRIPT = 220_000;

/** What is fetched only when it is opened. */
const LATER = [
  'DashboardPage',
  'MachinePage',
  'TerminalPage',
  'SessionsPage',
  'CommunityPage',
  'ProfilePage',
  'SecurityPage',
  'KeysPage',
  'UsersPage',
  'GroupsPage',
  'GroupPage',
  'RolesPage',
  'AuditPage',
  'AlertsPage',
  'WebhookPage',
  'OrganizationPage',
  'OrganizationsPage',
  'ReferencePage',
  'ServicesPage',
  'ServicePage',
  'JobsPage',
  'JobPage',
  'TypesPage',
  'TagsPage',
  'ThingsPage',
  'ThingPage',
  'SshPage',
];

describe('the first pages', () => {
  const setup = edgePerTest();

  it('come without the terminal, the account, the administration and the reference, which are fetched when they are opened', async () => {
    const page = await setup.open();
    const scripts: { name: string; size: number }[] = [];
    page.on('response', async (response) => {
      const name = new URL(response.url()).pathname;
      if (name.startsWith('/assets/') && name.endsWith('.js')) scripts.push({ name, size: (await response.body()).length });
    });
    await signIn(page);
    await page.getByText('Add your first machine').waitFor();
    const fetched = (part: string): boolean => scripts.some(({ name }) => name.includes(part));
    expect(LATER.filter(fetched)).toEqual([]);
    expect(scripts.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(MOST_SCRIPT);
    await page.getByRole('link', { name: 'Terminals' }).click();
    await page.getByText('No terminal is open here').waitFor();
    expect(LATER.filter(fetched)).toEqual(['TerminalPage']);
  });
});
