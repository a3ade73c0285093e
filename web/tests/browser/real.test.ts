import { readFileSync } from 'node:fs';
import { it } from 'vitest';
import { launch, openPage, screen, waitForScreen, waitForState } from './browser';
it('x', async () => {
  const log = readFileSync('/tmp/webdev.log', 'utf8');
  const url = /Open +(\S+)/.exec(log)![1]!, password = /Password +(\S+)/.exec(log)![1]!;
  const browser = await launch();
  const { page, complaints } = await openPage(browser, url);
  const shot = (n: string) => page.screenshot({ path: `/tmp/shots/real-${n}.png` });
  try {
  await page.goto('/');
  await page.getByLabel('Email or username').fill('demo');
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Connect to vm' }).waitFor();
  await page.waitForTimeout(1500); await shot('machines');
  await page.getByRole('link', { name: 'vm', exact: true }).click();
  await page.waitForTimeout(1500); await shot('machine');
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
  await waitForState(page, 'connected');
  await waitForScreen(page, '#');
  await page.keyboard.type(`kept=treasure; printf '\\e[c'; read -rs -d c answer; echo "answered \${#answer}"\r`);
  await waitForScreen(page, 'answered 6');
 await page.waitForTimeout(300); await page.reload(); await waitForScreen(page, 'answered 6'); await page.waitForTimeout(1000); console.log('RELOADED', await screen(page)); 
  const t0 = Date.now();
  await page.keyboard.type('seq 1 200000; echo done-$((1+1))\r');
  await page.waitForFunction(() => window.vsayTerminal?.text.includes('\ndone-2\n'), null, { timeout: 60000 });
  console.log('bulk ms', Date.now() - t0);
  const lines = (await screen(page)).split('\n');
  const at = lines.lastIndexOf('200000');
  let ok = true; for (let i = 0; i < 9000; i++) if (lines[at - i] !== String(200000 - i)) { ok = false; console.log('gap at', i, lines[at - i]); break; }
  console.log('ordered', ok);
  await shot('bulk');
  await page.reload();
  await waitForState(page, 'connected');
  await waitForScreen(page, 'done-2');
  await page.waitForTimeout(500);
  await shot('reload');
  await page.keyboard.type('echo "<$kept>"; stty size\r');
  await waitForScreen(page, '<treasure>');
  await page.waitForTimeout(500);
  await shot('after');
  console.log((await screen(page)).split('\n').slice(-8).join('\n'));
  await page.keyboard.type('htop || top\r'); await page.waitForTimeout(2000); await shot('top');
  await page.keyboard.type('q'); await page.waitForTimeout(500);
  await page.goto('/running'); await page.waitForTimeout(1500); await shot('running');
  await page.goto('/terminal'); await waitForState(page, 'connected');
  await page.keyboard.type('exit 5\r'); await waitForState(page, 'ended');
  await page.waitForTimeout(500); await shot('ended');
  await page.goto('/docs/api'); await page.waitForTimeout(3000); await shot('docs');
  } catch (e) { await shot('fail'); console.log(await screen(page).catch(String)); throw e; }
  finally { console.log(complaints); await browser.close(); }
}, 120000);
