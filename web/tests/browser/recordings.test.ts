import { describe, expect, it } from 'vitest';
import { signIn } from './browser';
import { edgePerTest } from './setup';

describe('recordings', () => {
  const setup = edgePerTest();

  it('are listed on the machine’s page, and one plays what the terminal wrote', async () => {
    const page = await setup.open();
    const { agent_id } = setup.edge.add({ name: 'web-1' });
    setup.edge.recordings.add(agent_id, 'played-42');
    setup.edge.recordings.add(agent_id, '', { state: 'recording', username: 'bob', ended_at: null, expires_at: null });
    await signIn(page, `/machines/${agent_id}`);
    await page.getByText('is being recorded').waitFor();
    await page.getByText('4:07 · 20.0 kB').waitFor();
    await page.getByRole('link', { name: /^ada/ }).click();
    await page.getByRole('heading', { name: 'ada on web-1' }).waitFor();
    const player = page.getByTestId('player');
    await player.locator('.ap-player').click();
    await player.getByText('played-42').waitFor();
  });

  it('begin at the moment that the address names', async () => {
    const page = await setup.open();
    const { agent_id } = setup.edge.add({ name: 'web-1' });
    const { id } = setup.edge.recordings.add(agent_id, 'played-43');
    await signIn(page, `/recordings/${String(id)}?t=0.3`);
    await page.getByTestId('player').getByText('played-43').waitFor();
  });

  it('are loaded by what is played of them, and no more', async () => {
    const page = await setup.open();
    const { agent_id } = setup.edge.add({ name: 'web-1' });
    const texts = ['first ', 'second ', 'third ', 'fourth ', 'fifth '];
    const { id } = setup.edge.recordings.addLong(agent_id, texts);
    await signIn(page, `/recordings/${String(id)}?t=250`);
    const player = page.getByTestId('player');
    await player.getByText('first second third').waitFor();
    expect(await player.getByText('fourth').count()).toBe(0);
    // The one that is played, and the one behind it for when it is over.
    const path = `GET /api/recordings/${String(id)}/segments`;
    const asked = (): string[] => [...setup.edge.answered.keys()].filter((route) => route.startsWith(`${path}/`));
    await expect.poll(asked).toEqual([`${path}/2`, `${path}/3`]);
    expect(setup.edge.answered.has(`GET /api/recordings/${String(id)}/download`)).toBe(false);
  });

  it('show a session that runs, also after the network was gone, and play it once it is over', async () => {
    const page = await setup.open();
    const { agent_id } = setup.edge.add({ name: 'web-1' });
    const recording = setup.edge.recordings.add(agent_id, 'played-45', { state: 'recording', ended_at: null });
    setup.edge.shown = 'before';
    await signIn(page, `/recordings/${String(recording.id)}`);
    const player = page.getByTestId('player');
    await player.getByText('before').waitFor();

    setup.edge.shown = 'afterwards';
    setup.edge.refuseUpgrades = 503;
    setup.edge.recordings.cut();
    const tickets = (): number => setup.edge.answered.get(`POST /api/recordings/${String(recording.id)}/ticket`)?.count ?? 0;
    await expect.poll(tickets, { timeout: 20_000 }).toBeGreaterThan(2);
    setup.edge.refuseUpgrades = null;
    await player.getByText('afterwards').waitFor();

    // It ends while the network is gone.
    Object.assign(recording, { state: 'complete' });
    setup.edge.recordings.cut();
    await page.getByText('4:07').first().waitFor();
    await player.locator('.ap-player').click();
    await player.getByText('played-45').waitFor();
  });

  it('are saved as a file', async () => {
    const page = await setup.open();
    const { agent_id } = setup.edge.add({ name: 'web-1' });
    const { id } = setup.edge.recordings.add(agent_id, 'saved-44');
    await signIn(page, `/recordings/${String(id)}`);
    const saved = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download', exact: true }).click();
    expect((await saved).suggestedFilename()).toBe(`recording-${String(id)}.cast`);
  });

  it('are deleted by whoever may, once that is confirmed', async () => {
    const page = await setup.open();
    const { agent_id } = setup.edge.add({ name: 'web-1' });
    const { id } = setup.edge.recordings.add(agent_id, '', { can_delete: false });
    await signIn(page, `/recordings/${String(id)}`);
    await page.getByRole('button', { name: 'Download', exact: true }).waitFor();
    expect(await page.getByRole('button', { name: 'Delete' }).count()).toBe(0);

    Object.assign(setup.edge.recordings.all[0] ?? {}, { can_delete: true });
    await page.reload();
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('button', { name: 'Delete recording' }).click();
    await page.getByTestId('no-recordings').waitFor();
    expect(setup.edge.recordings.all).toEqual([]);
  });

  it('are kept for as long as the organization says', async () => {
    const page = await setup.open();
    await signIn(page, '/admin/organization');
    await page.getByLabel('Keep recordings for').fill('for ever');
    await page.getByRole('button', { name: 'Save settings' }).click();
    await page.getByText('Must be a number of days, 0 to 3650.').waitFor();
    await page.getByLabel('Keep recordings for').fill('0');
    await page.getByLabel('Record terminal sessions').uncheck();
    await page.getByRole('button', { name: 'Save settings' }).click();
    await page.getByText('Saved.').waitFor();
    expect(setup.edge.identity.settings).toMatchObject({ record_sessions: false, recording_days: 0 });
  });
});
