import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { edgePerTest } from './setup';

describe('signing up', () => {
  const setup = edgePerTest();
  const machines = (page: Page) => page.getByRole('heading', { name: 'Machines' });

  it('puts each error at its field', async () => {
    const page = await setup.open();
    await page.goto('/sign-up');
    await page.getByLabel('Username').fill('x');
    await page.getByLabel('Email').fill('ada@example.com');
    await page.getByLabel('Password').fill('correct horse');
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByText('Must have 3 to 50 characters.').waitFor();
    expect(await page.getByLabel('Username').getAttribute('aria-invalid')).toBe('true');
    expect(await page.getByLabel('Email').getAttribute('aria-invalid')).toBe('false');
  });

  it('can be done with the keyboard alone, which goes to what is wrong', async () => {
    const page = await setup.open();
    await page.goto('/sign-up');
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute('name'));
    await expect.poll(focused).toBe('username');
    for (const text of ['x', 'ada@example.com', 'correct horse']) {
      await page.keyboard.type(text);
      if (text !== 'correct horse') await page.keyboard.press('Tab');
    }
    await page.keyboard.press('Enter');
    await page.getByText('Must have 3 to 50 characters.').waitFor();
    await expect.poll(focused).toBe('username');
    await page.keyboard.press('End');
    await page.keyboard.type('yz');
    await page.keyboard.press('Enter');
    await machines(page).waitFor();
  });
});
