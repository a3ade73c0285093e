import { describe, expect, it } from 'vitest';
import { signIn } from './browser';
import { edgePerTest } from './setup';

describe('the API reference', () => {
  const setup = edgePerTest();

  it('shows the document that the server gives of itself, to anybody', async () => {
    const page = await setup.open();
    await page.goto('/docs/api');
    await page.getByText('List machines').first().click();
    await page.getByText('/api/machines').filter({ visible: true }).first().waitFor();
  });

  it('says first where the server is and how to ask it', async () => {
    const page = await setup.open();
    await page.goto('/docs/api');
    const { origin } = new URL(page.url());
    await page.getByText(`"${origin}/api/machines?status=online&page=1&limit=50"`).waitFor();
    expect(await page.getByRole('main').count()).toBe(1);
  });

  it('tries requests out as whoever is signed in', async () => {
    const page = await setup.open();
    await signIn(page);
    await page.goto('/docs/api');
    await page.getByText("Read one's own account").first().click();
    const asked = page.waitForRequest('**/api/auth/me');
    await page
      .getByRole('button', { name: /^(try|execute)/i })
      .first()
      .click();
    expect((await asked).headers()['x-vsay-console']).toBe('1');
  });
});
