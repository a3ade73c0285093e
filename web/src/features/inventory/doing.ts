/** What is done with things: actions, syncs, exports. */
import { answer, client } from '../../api/client';
import { download } from '../../auth/download';

/** What an action is asked with. All of it may be absent. */
export interface Asked {
  /** Of `dynamic_scripts`, which one. */
  script?: string;
  inputs?: Record<string, unknown>;
}

/** Does something with a thing. Answers the job. */
export async function runAction(slug: string, id: string, action: string, asked: Asked): Promise<string> {
  const path = { type_slug: slug, object_id: id, action };
  const started = client.POST('/api/inventory/{type_slug}/{object_id}/actions/{action}', { params: { path }, body: asked });
  return (await answer(started)).job_id;
}

/** Does something that is about all things of a type. Answers the job. */
export async function runTypeAction(slug: string, action: string, asked: Asked): Promise<string> {
  const path = { type_slug: slug, action };
  const started = client.POST('/api/inventory/{type_slug}/actions/{action}', { params: { path }, body: asked });
  return (await answer(started)).job_id;
}

/** Has the things of a type brought in line with where they come from. */
export async function syncType(slug: string): Promise<void> {
  await answer(client.POST('/api/inventory/{type_slug}/sync', { params: { path: { type_slug: slug } } }));
}

/** What things of a type can be exported as. */
export const FORMATS = [
  ['csv', 'CSV', 'A table, for spreadsheets'],
  ['json', 'JSON', 'For programs'],
  ['ansible', 'Ansible inventory', 'Hosts, with tags as groups'],
] as const;

export type Format = (typeof FORMATS)[number][0];

/** Saves all things of a type that the person may see as a file. */
export async function exportThings(slug: string, format: Format): Promise<void> {
  const endings: Record<Format, string> = { csv: 'csv', json: 'json', ansible: 'yaml' };
  await download(`/api/inventory/${encodeURIComponent(slug)}/export?format=${format}`, `${slug}.${endings[format]}`);
}
