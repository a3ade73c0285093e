/** One browser for a file of tests; for each test an edge of its own, and a page that must not complain. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { launch, openPage } from './browser';
import { Edge } from './edge/edge';

export interface Setup {
  edge: Edge;
  /** Another browser window, with storage of its own. */
  open(options?: BrowserContextOptions): Promise<Page>;
}

export function edgePerTest(): Setup {
  let browser: Browser;
  let url: string;
  const complaints: string[][] = [];
  const it: Setup = {
    edge: new Edge(),
    async open(options) {
      const opened = await openPage(browser, url, options);
      complaints.push(opened.complaints);
      return opened.page;
    },
  };
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    it.edge = new Edge();
    url = await it.edge.start();
  });
  afterEach(async () => {
    const said = complaints.splice(0).flat();
    await Promise.all(browser.contexts().map((context) => context.close()));
    it.edge.stop();
    // Such as a script or a style that the content security policy refused.
    expect(said).toEqual([]);
  });
  return it;
}
