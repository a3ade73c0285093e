/** The person's avatar: a file that is kept here, or the address of one that is kept elsewhere. */
import { answer, client } from '../../api/client';

/** Longest address of an avatar that the server takes, in characters. */
const LONGEST_ADDRESS = 2048;

/** Whether an avatar can be there: pages of ours show only what comes encrypted. */
export function isAvatarAddress(text: string): boolean {
  return /^https:\/\/[!-~]+$/i.test(text) && text.length <= LONGEST_ADDRESS && URL.canParse(text);
}

/** Says where the avatar is. */
export async function setAvatar(address: string): Promise<void> {
  await answer(client.POST('/api/profile/upload-avatar', { body: { avatar_url: address } }));
}

/** Whether an avatar was uploaded, rather than said to be somewhere. */
export function isKeptHere(address: string): boolean {
  return /\/api\/avatars\/[0-9a-f]{32}$/.test(address);
}

export async function uploadAvatar(file: Blob): Promise<void> {
  const form = new FormData();
  form.set('avatar', file);
  await answer(client.POST('/api/profile/upload-avatar', { body: { avatar: '' }, bodySerializer: () => form }));
}

export async function removeAvatar(): Promise<void> {
  await answer(client.DELETE('/api/profile/avatar'));
}
