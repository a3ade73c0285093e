import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { signIn, waitForState } from './browser';
import { world } from './setup';

/** What axe finds wrong with the page as it is now. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations: found } = await page.evaluate(() => (window as unknown as { axe: typeof axe }).axe.run());
  return found.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id} at ${target.join(' ')}: ${failureSummary ?? ''}`));
}

describe.each(['light', 'dark'] as const)('in the %s theme', (colorScheme) => {
  const setup = world();

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
    setup.edge.add({ name: 'web-1', cpu_percent: 99, description: 'Front door' });
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
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await waitForState(page, 'connected');
    await look('terminal');
    await page.getByRole('button', { name: 'Close web-1' }).click();
    await look('close terminal');
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Sessions' }).click();
    await page.getByTestId('session').waitFor();
    await look('sessions');
    expect(Object.fromEntries(Object.entries(found).filter(([, list]) => list.length > 0))).toEqual({});
  });
});
