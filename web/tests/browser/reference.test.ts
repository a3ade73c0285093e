import { describe, it } from 'vitest';
import { edgePerTest } from './setup';

describe('the API reference', () => {
  const setup = edgePerTest();

  it('shows the document that the server gives of itself, to anybody', async () => {
    const page = await setup.open();
    await page.goto('/docs/api');
    await page.getByText('List machines').first().click();
    await page.getByText('/api/machines').first().waitFor();
  });
});
