/** The promises of the product, in a real browser, over the real Worker, with a real agent and a real shell. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launch, openPage, PATIENCE, screen, typeLine, waitForScreen, waitForState } from '../browser/browser';
import { cuttableWire, type Product, startProduct } from './product';

describe('the product', () => {
  let product: Product;
  let browser: Browser;

  beforeAll(async () => {
    [product, browser] = await Promise.all([startProduct(), launch()]);
  }, 180_000);

  afterAll(async () => {
    await browser?.close();
    await product?.stop();
  });

  async function connect(url: string): Promise<{ page: Page; complaints: string[] }> {
    const { page, complaints } = await openPage(browser, url);
    await page.goto('/');
    await page.getByLabel('Email or username').fill('demo');
    await page.getByLabel('Password').fill(product.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: `Connect to ${product.machine}` }).click();
    await waitForState(page, 'connected');
    return { page, complaints };
  }

  it('lets a person sign in, connect, type a command and read what it says', async () => {
    const { page, complaints } = await connect(product.url);
    await typeLine(page, 'echo "$((6*7)) on $(uname -s)"');
    await waitForScreen(page, '\n42 on Linux\n');
    // In a home of the test's own, so that nobody's start-up files have run.
    await typeLine(page, 'echo "<$HOME>"');
    await waitForScreen(page, `<${product.system.home}>`);
    expect(product.system.startUpFilesRan()).toBe(false);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('shows every byte once although the network is cut again and again while a program writes and a person types', async () => {
    const wire = await cuttableWire(product.url);
    const { page } = await connect(wire.url);
    const lines = 6_000;
    // The program rests now and then, so that there is something to cut.
    await typeLine(page, `for i in $(seq 1 ${lines}); do echo $i; [ $((i % 1000)) = 0 ] && sleep 0.3; done; echo complete`);
    for (const seen of [1_000, 2_000, 4_000]) {
      await waitForScreen(page, `\n${seen}\n`);
      expect(wire.cut()).toBeGreaterThan(0);
    }
    await typeLine(page, 'echo typed-$((1+1))');
    await expect.poll(() => screen(page), { timeout: PATIENCE }).toContain('\ncomplete\n');
    await waitForScreen(page, '\ntyped-2\n');
    const text = await screen(page);
    const shown = text.split('\n').filter((line) => /^\d+$/.test(line));
    expect(shown).toEqual(Array.from({ length: lines }, (_, i) => String(i + 1)));
    expect(text.match(/^typed-2$/gm)).toHaveLength(1);
    await page.context().close();
    wire.close();
  });

  it('shows a session to others while it runs, and plays it when it is over', async () => {
    const { page, complaints } = await connect(product.url);
    await typeLine(page, 'echo before-$((6*7))');
    await waitForScreen(page, '\nbefore-42\n');
    const other = await page.context().newPage();
    await other.goto(`${product.url}/machines`);
    await other.getByRole('link', { name: product.machine }).first().click();
    await other.getByTestId('recording').filter({ hasText: 'is being recorded' }).first().getByRole('link').click();
    const player = other.getByTestId('player');
    await player.getByText('before-42').first().waitFor();
    await typeLine(page, 'echo after-$((7*8))');
    await player.getByText('after-56').first().waitFor();

    await typeLine(page, 'exit');
    await other.getByText('is being recorded').waitFor({ state: 'detached' });
    // It begins at its beginning now, and plays to what was seen live.
    await player.locator('.ap-player').click();
    await player.getByText('before-42').first().waitFor();
    await player.getByText('after-56').first().waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('shows the shell as it was after the page is loaded again', async () => {
    const { page } = await connect(product.url);
    await typeLine(page, 'kept=treasure; echo set');
    await waitForScreen(page, '\nset\n');
    await page.reload();
    await waitForState(page, 'connected');
    await typeLine(page, 'echo "<$kept>"');
    await waitForScreen(page, '<treasure>');
    await page.context().close();
  });
});
