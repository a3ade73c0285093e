import { describe, expect, it } from 'vitest';
import { signIn } from './browser';
import { edgePerTest } from './setup';

describe('alerts', () => {
  const setup = edgePerTest();

  it('are listed, taken note of, and found again once they are over', async () => {
    const { alerting } = setup.edge.identity;
    alerting.raise({ summary: 'mail-1 is offline', status: 'resolved', agent_id: null });
    alerting.raise({ count: 3 });
    const page = await setup.open();
    await signIn(page, '/admin/alerts');
    const alert = page.getByTestId('alert');
    await alert.getByText('web-1 is offline').waitFor();
    expect(await alert.count()).toBe(1);
    await alert.getByText('3 times').waitFor();
    await page.getByRole('button', { name: 'Take note of “web-1 is offline”' }).click();
    await alert.getByText('ada took note').waitFor();
    expect(await page.getByRole('button', { name: /Take note/ }).count()).toBe(0);
    await page.getByLabel('State').selectOption('resolved');
    await alert.getByText('mail-1 is offline').waitFor();
    await page.getByLabel('About').selectOption('command');
    await page.getByText('No alert is like this.').waitFor();
  });

  it('have rules, which are made in words, changed and deleted', async () => {
    setup.edge.add({ name: 'web-1' });
    const { identity } = setup.edge;
    identity.alerting.webhook({ name: 'pager', url: 'https://hooks.example.org' });
    identity.addPerson({ username: 'grace' });
    const page = await setup.open();
    await signIn(page, '/admin/alerts');
    await page.getByText('Nothing is open.').waitFor();
    await page.getByText('There are no rules yet.').waitFor();
    await page.getByRole('button', { name: 'Add rule' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('Servers are up');
    await dialog.getByText('When a machine is away for 5 minutes.').waitFor();
    await dialog.getByLabel('For how many minutes').fill('10');
    await dialog.getByLabel('Where').selectOption('tag');
    await dialog.getByLabel('Tag').fill('prod');
    await dialog.getByText('When a machine with the tag prod is away for 10 minutes.').waitFor();
    await dialog.getByRole('checkbox', { name: 'grace' }).check();
    await dialog.getByRole('checkbox', { name: 'pager' }).check();
    await dialog.getByRole('button', { name: 'Add rule' }).click();
    const rule = page.getByTestId('rule');
    await rule.getByText('When a machine with the tag prod is away for 10 minutes, tell 1 person and 1 webhook.').waitFor();
    expect(identity.alerting.rules[0]).toMatchObject({
      event: 'machine_offline',
      minutes: 10,
      tag: 'prod',
      group_id: null,
      webhook_ids: ['w1'],
      active: true,
    });
    await page.getByRole('button', { name: 'Edit Servers are up' }).click();
    await dialog.getByLabel('Tell when').selectOption('failed_login');
    await dialog.getByLabel('How many', { exact: true }).fill('3');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await rule.getByText('When 3 sign-ins with one name fail within 10 minutes').waitFor();
    expect(identity.alerting.rules[0]).toMatchObject({ event: 'failed_login', count: 3, tag: null });
    await page.getByRole('button', { name: 'Delete Servers are up' }).click();
    await dialog.getByRole('button', { name: 'Delete rule' }).click();
    await page.getByText('There are no rules yet.').waitFor();
  });
});

describe('a webhook', () => {
  const setup = edgePerTest();

  it('shows its secret once, is tested, and says what was answered', async () => {
    const { alerting } = setup.edge.identity;
    const page = await setup.open();
    await signIn(page, '/admin/alerts');
    await page.getByText('No program is told of anything.').waitFor();
    await page.getByRole('button', { name: 'Add webhook' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('pager');
    await dialog.getByLabel('Address').fill('http://hooks.example.org');
    await dialog.getByRole('checkbox', { name: 'A command is run' }).check();
    await dialog.getByRole('button', { name: 'Add webhook' }).click();
    await dialog.getByText('must begin with https://').waitFor();
    await dialog.getByLabel('Address').fill('https://hooks.example.org');
    await dialog.getByRole('button', { name: 'Add webhook' }).click();
    await dialog.getByText('whsec_c2VjcmV0').waitFor();
    await dialog.getByRole('button', { name: 'I have copied it' }).click();
    expect(alerting.webhooks[0]).toMatchObject({ name: 'pager', events: ['command'] });
    await page.getByRole('link', { name: 'pager' }).click();
    await page.getByText('It was told nothing yet.').waitFor();
    alerting.answers = 500;
    await page.getByRole('button', { name: 'Send a test' }).click();
    await page.getByText('It did not arrive. Tried once; answered 500 in 12 ms.').waitFor();
    const delivery = page.getByTestId('delivery');
    await delivery.getByText('Failed').waitFor();
    await delivery.getByText('What was sent and answered').click();
    await delivery.getByTestId('response').getByText('no room').waitFor();
    alerting.answers = 200;
    await page.getByRole('button', { name: 'Send again: A test' }).click();
    await page.getByTestId('sent').getByText('It arrived. Tried 2 times; answered 200 in 12 ms.').waitFor();
    await page.getByRole('button', { name: 'Replace secret' }).click();
    await dialog.getByRole('button', { name: 'Replace secret' }).click();
    await dialog.getByText('whsec_YW5vdGhlcg==').waitFor();
    await dialog.getByRole('button', { name: 'I have copied it' }).click();
    await page.getByText('Signed with the secret of before, too, until').waitFor();
    await page.getByRole('button', { name: 'Edit' }).click();
    await dialog.getByRole('checkbox', { name: /^On/ }).uncheck();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Off', { exact: true }).waitFor();
    expect(await page.getByRole('button', { name: 'Send a test' }).isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'Delete' }).click();
    await dialog.getByRole('button', { name: 'Delete webhook' }).click();
    await page.getByText('No program is told of anything.').waitFor();
  });
});
