/** Keys for programs that act as the person. */
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

export const SCOPES: Record<ApiKey['scope'], string> = {
  full: 'Everything I may do, but not administer people',
  'people:admin': 'Everything I may do, people included',
  read: 'Reading only',
};

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
