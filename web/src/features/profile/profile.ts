/** What people change about themselves. */
import { answer, client } from '../../api/client';
import type { components } from '../../api/schema';

export type ApiKey = components['schemas']['ApiKey'];

export interface NewApiKey {
  name: string;
  scope: ApiKey['scope'];
  /** 0 is never. */
  expires_in_days: number;
}

/** How many keys a person may have. */
export const MAX_KEYS = 5;

export const SCOPES: Record<ApiKey['scope'], string> = { full: 'Everything I may do', read: 'Reading only' };

export async function saveProfile(displayName: string, email: string): Promise<void> {
  await answer(client.PUT('/api/users/profile', { body: { display_name: displayName, email } }));
}

/** Longest address of a picture that the server takes, in characters. */
const LONGEST_ADDRESS = 2048;

/** Whether a picture can be there: pages of ours show only what comes encrypted. */
export function isPictureAddress(text: string): boolean {
  return /^https:\/\/[!-~]+$/i.test(text) && text.length <= LONGEST_ADDRESS && URL.canParse(text);
}

/** Says where the person's picture is. */
export async function setPicture(address: string): Promise<void> {
  await answer(client.POST('/api/profile/upload-avatar', { body: { avatar_url: address } }));
}

/** Whether a picture was uploaded, rather than said to be somewhere. */
export function isKeptHere(address: string): boolean {
  return /\/api\/avatars\/[0-9a-f]{32}$/.test(address);
}

/** Sends the person's picture. */
export async function uploadPicture(file: Blob): Promise<void> {
  const form = new FormData();
  form.set('avatar', file);
  await answer(client.POST('/api/profile/upload-avatar', { body: { avatar: '' }, bodySerializer: () => form }));
}

export async function removePicture(): Promise<void> {
  await answer(client.DELETE('/api/profile/avatar'));
}

/** Mails the proof of the address once more. */
export async function sendVerification(): Promise<void> {
  await answer(client.POST('/api/auth/verify-email'));
}

export async function listApiKeys(signal: AbortSignal): Promise<ApiKey[]> {
  return (await answer(client.GET('/api/api-keys', { signal }))).keys;
}

/** The new key itself, which is never shown again. */
export async function createApiKey(body: NewApiKey): Promise<string> {
  return (await answer(client.POST('/api/api-keys', { body }))).key;
}

export async function revokeApiKey(id: string): Promise<void> {
  await answer(client.DELETE('/api/api-keys/{key_id}', { params: { path: { key_id: id } } }));
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
