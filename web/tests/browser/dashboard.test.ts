import { describe, expect, it } from 'vitest';
import { PATIENCE, signIn } from './browser';
import { edgePerTest } from './setup';

describe('the dashboard', () => {
  const setup = edgePerTest();

  it('counts machines, follows them, and leads to them', async () => {
    const page = await setup.open();
    const web = setup.edge.add({ name: 'web-1' });
    setup.edge.add({ name: 'attic', status: 'offline', is_connected: false, health: null });
    await signIn(page, '/dashboard');
    await page.getByTestId('figures').getByText('1 of 2').waitFor();
    await page.getByText('Nothing was run yet').waitFor();
    Object.assign(web, { health: 'critical' });
    await page.getByText('1 critical').waitFor();
    expect(await page.getByTestId('recent-machine').count()).toBe(2);
    await page.getByRole('link', { name: '1 of 2' }).click();
    await page.getByRole('link', { name: 'web-1' }).waitFor();
    expect(await page.getByRole('link', { name: 'attic' }).count()).toBe(0);
  });
});

describe('the live channel', () => {
  const setup = edgePerTest();

  it('says when to look again, and nothing is asked before', async () => {
    const page = await setup.open();
    const { edge } = setup;
    edge.live.quiet = true;
    const web = edge.add({ name: 'web-1' });
    await signIn(page, '/dashboard');
    await page.getByTestId('figures').getByText('1 of 1').waitFor();
    await expect.poll(() => edge.live.listeners, { timeout: PATIENCE }).toBe(1);
    // The next look is told to come seldom.
    edge.live.tell(['machines']);
    const looks = (): number => edge.answered.get('GET /api/dashboard/stats')?.count ?? 0;
    await expect.poll(looks, { timeout: PATIENCE }).toBeGreaterThan(1);
    const before = looks();
    Object.assign(web, { health: 'critical' });
    edge.live.tell(['figures']);
    edge.live.tell(['sessions', 'machines']);
    await page.getByText('1 critical').waitFor();
    expect(looks()).toBe(before + 1);
  });

  it('is opened again after a cut, and what was missed is asked for', async () => {
    const page = await setup.open();
    const { edge } = setup;
    edge.live.quiet = true;
    const web = edge.add({ name: 'web-1' });
    await signIn(page, '/dashboard');
    await expect.poll(() => edge.live.listeners, { timeout: PATIENCE }).toBe(1);
    Object.assign(web, { health: 'critical' });
    edge.live.cut();
    await page.getByText('1 critical').waitFor();
    await expect.poll(() => edge.live.listeners, { timeout: PATIENCE }).toBe(1);
  });
});

describe('the figures of a machine', () => {
  const setup = edgePerTest();

  it('are drawn, can be read with the keyboard, and get longer as they come in', async () => {
    const page = await setup.open();
    const web = setup.edge.add({ name: 'web-1' });
    await signIn(page, `/machines/${web.agent_id}`);
    const charts = page.locator('[data-testid=charts][data-samples="8"]');
    await charts.waitFor();
    const cpu = page.getByRole('slider', { name: 'CPU over time' });
    expect(await cpu.getAttribute('aria-valuetext')).toContain('12 %');
    await cpu.focus();
    await page.keyboard.press('Home');
    expect(await cpu.getAttribute('aria-valuetext')).toContain('50 %');
    Object.assign(web, { metrics_at: new Date(Date.now() + 1000).toISOString() });
    await expect.poll(() => page.getByTestId('charts').getAttribute('data-samples'), { timeout: PATIENCE }).toBe('9');
    await page.getByRole('button', { name: 'Week' }).click();
    expect(await page.getByRole('button', { name: 'Week' }).getAttribute('aria-pressed')).toBe('true');
  });

  it('have thresholds that its page changes', async () => {
    const page = await setup.open();
    const web = setup.edge.add({ name: 'web-1', health: 'warning' });
    await signIn(page, `/machines/${web.agent_id}`);
    await page.getByTestId('machine-state').getByText('Warning').waitFor();
    await page.getByRole('button', { name: 'Edit' }).click();
    const warning = page.getByLabel('Memory: warning from, in percent');
    await warning.fill('96');
    await page.getByText('the warning before the other').waitFor();
    await warning.fill('50');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(web.thresholds).toMatchObject({ memory: { warning: 50, critical: 95 }, disk: { warning: 80, critical: 90 } });
  });
});
