/** The system's Chromium, and what tests want from a page. */
import jsQR from 'jsqr';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';

/** For a computer that does ten other things as well, in milliseconds: only reached when something is broken. */
export const PATIENCE = 60_000;

export async function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** A page of a browser of its own. Anything the page complains about fails the test that asks for `complaints`. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; complaints: string[] }> {
  const context = await browser.newContext({
    baseURL: url,
    viewport: { width: 1280, height: 800 },
    permissions: ['clipboard-read', 'clipboard-write'],
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    const text = message.text();
    // Answers with an error status, and links that a test cuts, are part of the tests.
    if (
      message.type() === 'error' &&
      !/status of [45]\d\d|ERR_FAILED|ERR_INCOMPLETE_CHUNKED_ENCODING|WebSocket connection to/.test(text)
    )
      complaints.push(text);
  });
  return { page, complaints };
}

/** The first step of a sign-in, whatever follows. */
export async function givePassword(page: Page): Promise<void> {
  await page.goto('/machines');
  await page.getByLabel('Email or username').fill('ada@example.com');
  await page.getByLabel('Password').fill('correct horse');
  await page.getByRole('button', { name: 'Sign in' }).click();
}

export async function signIn(page: Page, path = '/'): Promise<void> {
  await page.goto(path);
  await page.getByLabel('Email or username').fill('ada');
  await page.getByLabel('Password').fill('correct horse');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Account' }).waitFor();
}

/** What the active terminal shows. */
export function screen(page: Page): Promise<string> {
  return page.evaluate(() => window.vsayTerminal?.text ?? '');
}

export async function waitForScreen(page: Page, text: string): Promise<void> {
  await expect.poll(() => screen(page), { timeout: PATIENCE, interval: 30 }).toContain(text);
}

/** Types a line once the terminal has the keyboard: a page that was just opened hands it over a moment later. */
export async function typeLine(page: Page, line: string): Promise<void> {
  await page.waitForFunction(() => document.activeElement?.classList.contains('xterm-helper-textarea'));
  await page.keyboard.type(`${line}\r`);
}

export async function waitForState(page: Page, state: string): Promise<void> {
  await page.locator(`[data-testid=terminal][data-state=${state}]`).waitFor();
}

/** Points on a side of the picture that a reader is given: four for a module. */
const CODE_SIZE = 240;

/** What a phone reads of the QR code on the page, by a reader that knows nothing of who drew it. */
export async function readCode(page: Page): Promise<string | undefined> {
  const points = await page.locator('svg[role=img]').evaluate(async (svg, size) => {
    const copy = svg.cloneNode(true) as SVGElement;
    copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
    copy.setAttribute('width', String(size));
    copy.setAttribute('height', String(size));
    const image = new Image();
    image.src = `data:image/svg+xml,${encodeURIComponent(copy.outerHTML)}`;
    await image.decode();
    const context = new OffscreenCanvas(size, size).getContext('2d');
    if (!context) throw new Error('no canvas');
    context.fillStyle = '#fff';
    context.fillRect(0, 0, size, size);
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, size, size);
    // Its red is as good as any of its colours: the code is black on white.
    return Array.from({ length: size * size }, (_, at) => ((data[at * 4] ?? 0) < 128 ? '#' : ' ')).join('');
  }, CODE_SIZE);
  const colours = [...points].flatMap((point) => (point === '#' ? [0, 0, 0, 255] : [255, 255, 255, 255]));
  return jsQR(new Uint8ClampedArray(colours), CODE_SIZE, CODE_SIZE)?.data;
}
