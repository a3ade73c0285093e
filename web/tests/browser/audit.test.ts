import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { signIn } from './browser';
import { edgePerTest } from './setup';

describe('the audit log', () => {
  const setup = edgePerTest();

  it('is filtered, shows an entry, and is exported as it is shown', async () => {
    const { identity } = setup.edge;
    identity.addEntry();
    identity.addEntry({ action: 'role_changed', severity: 'critical', details: { old: 'user', new: 'company_admin' } });
    const page = await setup.open();
    await signIn(page, '/admin/audit');
    await page.getByLabel('Action', { exact: true }).selectOption('changed a person’s role');
    await page.getByTestId('entry').filter({ hasText: 'signed in' }).waitFor({ state: 'detached' });
    await page.getByTestId('entry').getByText('Critical').waitFor();
    await page.getByTestId('entry').getByRole('button').click();
    await page.getByRole('dialog').getByText('"new": "company_admin"').waitFor();
    await page.keyboard.press('Escape');
    const file = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Export' }).click();
    await page.getByRole('menuitem', { name: 'As CSV, as filtered' }).click();
    const saved = await file;
    expect(saved.suggestedFilename()).toBe('audit.csv');
    expect(JSON.parse(readFileSync(await saved.path(), 'utf8'))).toEqual({ format: 'csv', action: 'role_changed' });
  });

  it('says in words whether the chain of the log holds', async () => {
    const page = await setup.open();
    await signIn(page, '/admin/audit');
    await page.getByRole('button', { name: 'Verify chain' }).click();
    await page.getByTestId('verdict').getByText('1,234 entries checked.').waitFor();
    Object.assign(setup.edge.identity.chain, {
      valid: false,
      entries: 6,
      broken_at: { id: 'e7', int_id: 7, reason: 'It does not match its seal' },
    });
    await page.getByRole('button', { name: 'Verify chain' }).click();
    await page.getByRole('alert').getByText('Entry 7: It does not match its seal.').waitFor();
  });
});
