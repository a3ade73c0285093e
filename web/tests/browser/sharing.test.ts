import { describe, expect, it } from 'vitest';
import { signIn, typeLine, waitForScreen, waitForState } from './browser';
import { TOKEN } from './edge/sharing';
import { edgePerTest } from './setup';

const BOB = { standing: 'typist', username: 'bob', user_id: '7'.padStart(24, '0') };
const ADA = { standing: 'owner', username: 'ada', user_id: '1' };

describe('a shared terminal', () => {
  const setup = edgePerTest();

  it('is shared by its owner with somebody and by a link, says who is there, and is not shared any more', async () => {
    const page = await setup.open();
    setup.edge.add({ name: 'web-1' });
    await signIn(page);
    await page.getByRole('button', { name: 'Connect to web-1' }).click();
    await waitForState(page, 'connected');
    await page.getByRole('button', { name: 'Share' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Nobody yet.').waitFor();
    await dialog.getByLabel('Invite somebody').fill('nobody');
    await dialog.getByRole('button', { name: 'Invite' }).click();
    await dialog.getByText('User not found.').waitFor();

    await dialog.getByLabel('What others may do').selectOption({ label: 'To watch and type' });
    await dialog.getByText('types does so as you').waitFor();
    await dialog.getByLabel('Invite somebody').fill('bob');
    await dialog.getByRole('button', { name: 'Invite' }).click();
    await dialog.getByText('bob is invited.').waitFor();
    await dialog.getByRole('button', { name: 'Make a link' }).click();
    await dialog.getByText(`https://edge.example.com/shared/${TOKEN}`).waitFor();
    await expect.poll(() => dialog.getByTestId('share').count()).toBe(2);

    const session = await page.getByTestId('terminal').getAttribute('data-session');
    setup.edge.shellOf(session ?? '').say({ type: 'presence', people: [ADA, BOB] });
    await dialog.getByText('bob, here now').waitFor();
    await dialog.getByRole('button', { name: 'Stop sharing with bob' }).click();
    await expect.poll(() => dialog.getByTestId('share').count()).toBe(1);
    expect(setup.edge.sharing.shares.map(({ username }) => username)).toEqual([null]);
    await page.keyboard.press('Escape');
    await page.getByTestId('people').getByText('ada and bob are here').waitFor();
  });

  it('is opened by a link, says that it only watches, and takes no key', async () => {
    const page = await setup.open();
    const { agent_id } = setup.edge.add({ name: 'web-1' });
    setup.edge.sharing.invite(agent_id, false, TOKEN);
    await signIn(page, `/shared/${TOKEN}`);
    await page.getByText('bob’s terminal').waitFor();
    await page.getByText('Connected, watching only').waitFor();
    await typeLine(page, 'echo typed-$((40+2))');
    await page.getByText('You are watching this terminal and cannot type.').waitFor();
    expect(await page.getByRole('button', { name: 'Share' }).count()).toBe(0);
    expect(await page.getByTestId('key-row').count()).toBe(0);
    // It is there again after a reload, and closing it asks nothing.
    await page.reload();
    await page.getByText('Connected, watching only').waitFor();
    await page.getByRole('button', { name: 'Close web-1' }).click();
    await page.getByTestId('no-terminal').waitFor();
  });

  it('stands under sessions, where one who may type joins it', async () => {
    const page = await setup.open();
    const { agent_id } = setup.edge.add({ name: 'web-1' });
    setup.edge.sharing.invite(agent_id, true);
    await signIn(page, '/running');
    await page.getByRole('button', { name: 'Join' }).click();
    await waitForState(page, 'connected');
    await typeLine(page, 'echo guest-$((40+2))');
    await waitForScreen(page, 'guest-42');
  });

  it('that is not there any more says so, and where to go on', async () => {
    const page = await setup.open();
    await signIn(page, `/shared/${TOKEN}`);
    await page.getByText('This link is not valid any more').waitFor();
    await page.getByRole('main').getByRole('link', { name: 'Sessions' }).click();
    await page.getByRole('heading', { name: 'Sessions', exact: true }).waitFor();
  });
});
