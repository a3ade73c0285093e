import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { PATIENCE, screen, signIn, typeLine, waitForScreen, waitForState } from './browser';
import { edgePerTest } from './setup';

const ESC = '\u001b';

describe('text that comes into a terminal, and out of it', () => {
  const setup = edgePerTest();

  /** A terminal with a program that says what it reads; one that knows pastes turns their mode on. */
  async function reading(mode: 'h' | 'l'): Promise<Page> {
    const page = await setup.open();
    setup.edge.add({ name: 'web-1' });
    await signIn(page);
    await page.getByRole('button', { name: 'Connect to web-1' }).click();
    await waitForState(page, 'connected');
    await waitForScreen(page, '$');
    await typeLine(page, `stty -echo; bind 'set enable-bracketed-paste off'; printf '\\e[?2004${mode}ready'; cat -v`);
    await waitForScreen(page, '\nready');
    return page;
  }

  async function paste(page: Page, text: string): Promise<void> {
    await page.evaluate((what) => navigator.clipboard.writeText(what), text);
    await page.keyboard.press('Control+Shift+V');
  }

  it('cannot end its own paste', async () => {
    const page = await reading('h');
    await paste(page, `harmless${ESC}[201~ text\u009b201~ of\u0003 one line`);
    await page.keyboard.press('Enter');
    await waitForScreen(page, '^[[200~harmless[201~ text201~ of one line^[[201~');
  });

  it('goes to a program that knows pastes without a question, however many lines it has', async () => {
    const page = await reading('h');
    await paste(page, 'first\nsecond');
    await page.keyboard.press('Enter');
    await waitForScreen(page, 'second^[[201~');
    expect(await page.getByRole('dialog').count()).toBe(0);
  });

  it('is shown before a program runs its lines, and goes there as the person says', async () => {
    const page = await reading('l');
    await paste(page, 'first line\nsecond line\n');
    await page.getByRole('heading', { name: 'Paste 2 lines here?' }).waitFor();
    await page.getByRole('region', { name: 'What would be pasted' }).getByText('second line').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await paste(page, 'one\ntwo\n');
    await page.getByRole('button', { name: 'Paste as one line' }).click();
    await page.keyboard.press('Enter');
    await waitForScreen(page, 'readyone two');
    await paste(page, 'three\nfour\n');
    await page.getByRole('button', { name: 'Paste', exact: true }).click();
    await waitForScreen(page, '\nthree\nfour');
    expect(await screen(page)).not.toContain('first line');
  });

  it('waits for Enter when it is one line that ends', async () => {
    const page = await reading('l');
    await paste(page, 'only line\n');
    await page.getByRole('heading', { name: 'Paste a line here?' }).waitFor();
    expect(await screen(page)).not.toContain('only line');
  });

  it('gets to the clipboard from a program, and only what is text', async () => {
    const page = await reading('l');
    const clipboard = (): Promise<string> => page.evaluate(() => navigator.clipboard.readText());
    await page.keyboard.press('Control+c');
    await typeLine(page, `printf '\\e]52;c;%s\\a' "$(printf 'copied größer' | base64)"`);
    await expect.poll(clipboard, { timeout: PATIENCE }).toBe('copied größer');
    await typeLine(
      page,
      `printf '\\e]52;c;!!!\\a\\e]52;c;%s\\a\\e]52;c;?\\a\\e]52;c;\\adone\\n' "$(printf '\\xff\\xfe' | base64)"`,
    );
    await waitForScreen(page, 'done');
    expect(await clipboard()).toBe('copied größer');
  });
});
