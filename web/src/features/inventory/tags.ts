/** Tags of the inventory: what the API says of them, and what it is asked to do. */
import { answer, client } from '../../api/client';
import type { Tag, TagPermission } from './api';

export interface TagDraft {
  name: string;
  /** `#e8984a`; nothing for none. */
  color: string | null;
}

const TAG = '/api/inventory/tags/{tag_id}';

const at = (id: number): { path: { tag_id: string } } => ({ path: { tag_id: String(id) } });

export async function listTags(signal: AbortSignal): Promise<Tag[]> {
  return (await answer(client.GET('/api/inventory/tags', { signal }))).tags;
}

/** A colour that was given stays: the API takes none away. */
export async function saveTag(id: number | null, { name, color }: TagDraft): Promise<void> {
  const body = { name, ...(color === null ? {} : { color }) };
  if (id === null) await answer(client.POST('/api/inventory/tags', { body }));
  else await answer(client.PUT(TAG, { params: at(id), body }));
}

export async function deleteTag(id: number): Promise<void> {
  await answer(client.DELETE(TAG, { params: at(id) }));
}

/** What a tag lets people do. */
export async function listTagPermissions(id: number, signal: AbortSignal): Promise<TagPermission[]> {
  return (await answer(client.GET(`${TAG}/permissions`, { params: at(id), signal }))).permissions;
}

export async function addTagPermission(id: number, role_id: number, permission: string): Promise<void> {
  await answer(client.POST(`${TAG}/permissions`, { params: at(id), body: { role_id, permission } }));
}

export async function removeTagPermission(id: number, permission: number): Promise<void> {
  const params = { path: { tag_id: String(id), permission_id: String(permission) } };
  await answer(client.DELETE(`${TAG}/permissions/{permission_id}`, { params }));
}

/** How many things have a tag, in words. */
export function describeCount({ object_count }: Pick<Tag, 'object_count'>): string {
  return object_count === 0
    ? 'Nothing has it'
    : object_count === 1
      ? '1 object has it'
      : `${object_count.toLocaleString('en')} objects have it`;
}
