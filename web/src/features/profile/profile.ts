/** What people change about themselves: their name and address, and two keys of their own. */
import { answer, client } from '../../api/client';
import type { components } from '../../api/schema';

export async function saveProfile(displayName: string, email: string): Promise<void> {
  await answer(client.PUT('/api/users/profile', { body: { display_name: displayName, email } }));
}

export async function findAccountKey(signal: AbortSignal): Promise<string> {
  return (await answer(client.GET('/api/profile', { signal }))).api_key;
}

export async function renewAccountKey(): Promise<string> {
  return (await answer(client.POST('/api/profile/regenerate-api-key'))).api_key;
}

/** The public key, if there is one. */
export async function findSshKey(signal: AbortSignal): Promise<string | null> {
  return (await answer(client.GET('/api/auth/me/ssh-key', { signal }))).ssh_public_key ?? null;
}

/** A pair of keys; the private one is shown once. */
export type SshKey = components['schemas']['SshKeyPair'];

export function makeSshKey(): Promise<SshKey> {
  return answer(client.POST('/api/auth/me/ssh-key'));
}

export async function removeSshKey(): Promise<void> {
  await answer(client.DELETE('/api/auth/me/ssh-key'));
}
