import { describe, it } from 'vitest';
import { signIn } from './browser';
import { edgePerTest } from './setup';

describe('requests for machines', () => {
  const setup = edgePerTest();

  it('are made of a machine that is searched for, and taken back', async () => {
    setup.edge.identity.requests.machines.push(
      { machine_id: 'm7', agent_id: '000000000007', name: 'db-7', owner: 'grace', pending: false },
      { machine_id: 'm8', agent_id: '000000000008', name: 'mail-8', owner: 'grace', pending: true },
    );
    const page = await setup.open();
    await signIn(page, '/machines');
    await page.getByRole('link', { name: 'Access requests' }).click();
    await page.getByText('You have not asked for a machine.').waitFor();
    await page.getByRole('button', { name: 'Ask for a machine' }).click();
    await page.getByTestId('askable').filter({ hasText: 'mail-8' }).getByText('Asked for').waitFor();
    await page.getByLabel('Search machines').fill('db');
    await page.getByRole('button', { name: 'Ask for db-7' }).click();
    await page.getByLabel('Reason').fill('The disk is full');
    await page.getByLabel('With sudo').check();
    await page.getByRole('dialog').getByRole('button', { name: 'Ask for access' }).click();
    await page.getByText('Cannot be allow_sudo.').waitFor();
    await page.getByLabel('With sudo').uncheck();
    await page.getByRole('dialog').getByRole('button', { name: 'Ask for access' }).click();
    const request = page.getByTestId('request').filter({ hasText: 'db-7' });
    await request.getByText('Waiting').waitFor();
    await request.getByText('The disk is full').waitFor();
    await page.getByRole('button', { name: 'Take back the request for db-7' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Take back' }).click();
    await page.getByText('You have not asked for a machine.').waitFor();
  });

  it('are approved, rejected with a reason, and revoked', async () => {
    const { identity } = setup.edge;
    identity.role = 'company_admin';
    identity.requests.ask({ requester_username: 'grace', request_note: 'Backups fail' });
    identity.requests.ask({ requester_username: 'linus', machine_role: 'allow_sudo', duration_hours: 0 });
    const page = await setup.open();
    await signIn(page, '/requests');
    await page.getByText('Backups fail').waitFor();
    await page.getByText('Until revoked, with sudo').waitFor();
    await page.getByRole('button', { name: 'Approve grace’s request' }).click();
    await page.getByLabel('Everybody’s requests').getByText('grace').waitFor();
    await page.getByRole('button', { name: 'Reject linus’s request' }).click();
    await page.getByLabel('Reason').fill('Ask me first');
    await page.getByRole('dialog').getByRole('button', { name: 'Reject' }).click();
    await page.getByText('Nobody waits for a machine of yours.').waitFor();
    await page.getByRole('button', { name: 'Revoke grace’s access to web-1' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('No request is like this.').waitFor();
    await page.getByLabel('State').selectOption('Rejected');
    await page.getByText('Rejected by ada: Ask me first').waitFor();
  });

  it('are made where a machine cannot be used, and announced where it is managed', async () => {
    const { edge } = setup;
    edge.identity.role = 'user';
    const machine = edge.add({ name: 'web-1' });
    const page = await setup.open();
    edge.forbidden.add(machine.agent_id);
    await signIn(page, `/machines/${machine.agent_id}`);
    await page.getByRole('button', { name: 'Ask for access' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Ask for access' }).click();
    await page.getByText('You have asked for this machine.').waitFor();
    // As soon as it is approved, the page shows the machine.
    edge.forbidden.delete(machine.agent_id);
    await page.getByRole('heading', { name: 'web-1' }).waitFor();
    edge.identity.requests.ask({ machine_agent_id: machine.agent_id });
    await page.reload();
    await page.getByText('2 people ask for access.').waitFor();
  });
});
