import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { signIn, waitForScreen } from './browser';
import { edgePerTest } from './setup';

describe('instances', () => {
  const setup = edgePerTest();

  async function opened(width?: number): Promise<Page> {
    const page = await setup.open();
    if (width !== undefined) await page.setViewportSize({ width, height: 720 });
    await signIn(page, '/instances');
    return page;
  }

  it('are listed with how old that is, and found by what they are', async () => {
    const { renting } = setup.edge.identity;
    renting.add('my web', { vultr_tags: ['grafana'] });
    renting.add('db', { vultr_region: 'fra', vultr_power_status: 'stopped' });
    const page = await opened();
    const all = page.getByTestId('instance');
    await all.filter({ hasText: 'my web' }).getByText('Running').waitFor();
    await all.filter({ hasText: 'db' }).getByText('Stopped').waitFor();
    expect(await page.getByTestId('age').textContent()).toContain('2 instances, as Vultr listed them');
    await page.getByLabel('Search instances').fill('grafana');
    await expect.poll(() => all.count()).toBe(1);
    await page.getByLabel('Search instances').fill('nothing');
    await page.getByRole('button', { name: 'Show all' }).click();
    expect(await page.getByRole('button', { name: 'Stop db' }).isDisabled()).toBe(true);
  });

  it('are refreshed by a job whose log is on the page', async () => {
    const { renting, working } = setup.edge.identity;
    renting.add('web-1');
    const page = await opened();
    await page.getByRole('button', { name: 'Refresh' }).click();
    await page.getByTestId('log').waitFor();
    const job = working.find('0a1b2c3d');
    job?.write('--- Generating inventory ---');
    await waitForScreen(page, '--- Generating inventory ---');
    renting.add('web-2');
    job?.end({ status: 'completed' });
    await page.getByTestId('instance').filter({ hasText: 'web-2' }).waitFor();
    await page.getByRole('button', { name: 'Close' }).click();
    expect(await page.getByTestId('log').count()).toBe(0);
  });

  it('are stopped once somebody has said so, and destroyed once they have typed which', async () => {
    const { renting } = setup.edge.identity;
    renting.add('my web');
    const page = await opened();
    const dialog = page.getByRole('dialog');
    await page.getByRole('button', { name: 'Stop my web' }).click();
    await dialog.getByText('Its disk and its address stay').waitFor();
    await dialog.getByRole('button', { name: 'Stop' }).click();
    await expect.poll(() => renting.stops).toEqual([{ label: 'my web', region: 'mel' }]);
    await page.getByRole('button', { name: 'Destroy my web' }).click();
    const destroy = dialog.getByRole('button', { name: 'Destroy' });
    expect(await destroy.isDisabled()).toBe(true);
    await dialog.getByLabel('Type my web to confirm').fill('my web');
    await destroy.click();
    const destroyed = { label: 'my web', region: 'mel', destroy: true, confirm: 'my web' };
    await expect.poll(() => renting.stops.at(-1)).toEqual(destroyed);
  });

  it('are all stopped by two words, here and where services are', async () => {
    const { renting, serving, working } = setup.edge.identity;
    renting.add('web-1');
    serving.add({ name: 'grafana' });
    const page = await opened();
    await page.goto('/services');
    await page.getByRole('button', { name: 'Stop all' }).click();
    await page.getByLabel('Type stop all to confirm').fill('stop all');
    await page.getByRole('dialog').getByRole('button', { name: 'Stop all' }).click();
    await page.waitForURL('**/jobs/0a1b2c3d');
    await page.getByRole('heading', { name: 'Stop everything' }).waitFor();
    await page.goto('/services/grafana');
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await page.getByRole('dialog').getByText('with the tag “grafana”').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Stop' }).click();
    await page.waitForURL('**/jobs/00000001');
    expect(working.find('00000001')?.facts.action).toBe('stop');
  });

  it('begin with a key, which whoever may edit settings sets', async () => {
    const { renting } = setup.edge.identity;
    Object.assign(renting, { configured: false, listed: false });
    const page = await opened();
    await page.getByText('No key of Vultr is set').waitFor();
    await page.getByLabel('API key').fill('two words');
    await page.getByRole('button', { name: 'Set key' }).click();
    await page.getByText('without spaces').waitFor();
    await page.getByLabel('API key').fill('VULTR1');
    await page.getByRole('button', { name: 'Set key' }).click();
    await page.getByText('Refresh asks Vultr which there are.').waitFor();
    await page.getByRole('button', { name: 'Remove key' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove key' }).click();
    await page.getByText('No key of Vultr is set').waitFor();
  });

  it('show to whoever may only look no button, and no key', async () => {
    Object.assign(setup.edge.identity, { role: 'user', permissions: ['instances.view'] });
    setup.edge.identity.renting.add('web-1');
    const page = await opened();
    await page.getByTestId('instance').waitFor();
    const main = page.getByRole('main');
    expect(await main.getByRole('button', { name: /Refresh|Stop|Destroy|key/ }).count()).toBe(0);
    expect(await main.getByText('Costs').count()).toBe(0);
  });

  it('cost what bars show, by tag and by region, on a phone too', async () => {
    const { renting } = setup.edge.identity;
    renting.add('web-1');
    renting.costs = { data: 5, grafana: 12.5 };
    const page = await opened(360);
    const bars = page.getByTestId('bars');
    await bars.getByText('grafana').waitFor();
    expect(await bars.locator('dd').allTextContents()).toEqual(['$12.50', '$5.00']);
    expect(await page.getByTestId('total').textContent()).toContain('$17.50');
    await page.getByLabel('By', { exact: true }).selectOption('region');
    await bars.getByText('mel').waitFor();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
    expect(wide).toBe(false);
  });
});
