import { describe, expect, it } from 'vitest';
import { signIn } from './browser';
import { HOME, WORK } from './edge/administration';
import { edgePerTest } from './setup';

describe('whoever comes here can', () => {
  const setup = edgePerTest();

  it('see how the product is called, in colours that can be read', async () => {
    setup.edge.identity.branding = {
      ...setup.edge.identity.branding,
      ...{ name_part1: 'Acme', name_part1_color: '#0a5c42', name_part2: 'Cloud', name_part2_color: '#fffffe' },
    };
    const page = await setup.open();
    await page.goto('/sign-in');
    const name = page.getByTestId('brand');
    await name.getByText('Acme').waitFor();
    expect((await name.textContent())?.replaceAll(/\s+/g, ' ').trim()).toBe('Acme Cloud');
    expect(await page.title()).toBe('Sign in – Acme Cloud');
    const colours = await name
      .locator('span')
      .evaluateAll((parts) => parts.map((part) => (part as HTMLElement).style.color));
    expect(colours).toEqual(['rgb(10, 92, 66)', '']);
  });

  it('change it, as a super administrator', async () => {
    Object.assign(setup.edge.identity, { role: 'super_admin', tenants: [HOME, WORK] });
    const page = await setup.open();
    await signIn(page, '/admin/branding');
    await page.getByLabel('First part').fill('Ours');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved.').waitFor();
    await page.getByTestId('brand').getByText('Ours').waitFor();
    expect(setup.edge.identity.branding.name_part1).toBe('Ours');
  });
});
