import { describe, expect, it } from 'vitest';
import { signIn } from './browser';
import { edgePerTest } from './setup';

describe('the account pages', () => {
  const setup = edgePerTest();

  it('say in words that a password is wrong, and let the right one in', async () => {
    const page = await setup.open();
    await page.goto('/machines');
    await page.getByLabel('Email or username').fill('ada');
    await page.getByLabel('Password').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('This email or username and this password do not match.').waitFor();
    await page.getByLabel('Password').fill('correct horse');
    await page.getByLabel('Password').press('Enter');
    await page.getByRole('heading', { name: 'Machines' }).waitFor();
  });

  it('put each error at its field', async () => {
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

  it('keep the sign-in over a reload, in all tabs, until it ends in all', async () => {
    const page = await setup.open();
    await signIn(page);
    await page.reload();
    await page.getByRole('button', { name: 'Account' }).waitFor();
    const second = await page.context().newPage();
    await second.goto('/machines');
    await second.getByRole('heading', { name: 'Machines' }).waitFor();
    await page.getByRole('button', { name: 'Account' }).click();
    await page.getByTestId('who-am-i').getByText('ada@example.com').waitFor();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await second.getByRole('heading', { name: 'Sign in' }).waitFor();
  });

  it('say why when the sign-in was withdrawn, and return to the page afterwards', async () => {
    const page = await setup.open();
    const { agent_id } = setup.edge.add({ name: 'web-1' });
    await signIn(page, `/machines/${agent_id}`);
    await page.getByRole('heading', { name: 'web-1' }).waitFor();
    setup.edge.tokens.clear();
    await page.getByText('Your sign-in is no longer valid').waitFor();
    await page.getByLabel('Email or username').fill('ada');
    await page.getByLabel('Password').fill('correct horse');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'web-1' }).waitFor();
  });

  it('remember the theme without a flash', async () => {
    const page = await setup.open({ colorScheme: 'light' });
    await signIn(page);
    await page.getByRole('button', { name: 'Account' }).click();
    await page.getByRole('menuitemradio', { name: 'Dark' }).click();
    await page.reload({ waitUntil: 'commit' });
    await page.waitForFunction(() => document.documentElement?.dataset.theme === 'dark');
    expect(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme)).toBe('dark');
  });
});
