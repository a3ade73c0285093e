/** The inventory: what the API says of it, and what it is asked to do. */
import { answer, client } from '../../api/client';
import { given, type Rows } from '../../api/query';
import type { components } from '../../api/schema';
import type { ThingsQuery } from './query';

export type InventoryType = components['schemas']['InventoryType'];
export type TypeField = components['schemas']['Field'];
export type TypeAction = components['schemas']['TypeAction'];
export type NewType = components['schemas']['NewType'];
export type Thing = components['schemas']['InventoryObject'];
export type ThingDetail = components['schemas']['InventoryObjectDetail'];
export type TagRef = components['schemas']['TagRef'];
export type Tag = components['schemas']['Tag'];
export type TagPermission = components['schemas']['TagPermission'];
export type Rule = components['schemas']['AclRule'];
export type Effect = components['schemas']['Effect'];

/** What things are, by field. */
export type Data = Record<string, unknown>;

/** What stands in the place of a secret that is set. */
export const MASK = '••••••••';

const TYPE = '/api/inventory/types/{slug}';
const THINGS = '/api/inventory/{type_slug}';
const THING = '/api/inventory/{type_slug}/{object_id}';

/** Where a thing is in the API. */
const at = (slug: string, id: string): { path: { type_slug: string; object_id: string } } => ({
  path: { type_slug: slug, object_id: id },
});

export async function listTypes(signal: AbortSignal): Promise<InventoryType[]> {
  return (await answer(client.GET('/api/inventory/types', { signal }))).types;
}

export async function findType(slug: string, signal: AbortSignal): Promise<InventoryType> {
  return answer(client.GET(TYPE, { params: { path: { slug } }, signal }));
}

export async function createType(body: NewType): Promise<InventoryType> {
  return answer(client.POST('/api/inventory/types', { body }));
}

export async function updateType({ slug, ...body }: NewType): Promise<InventoryType> {
  return answer(client.PUT(TYPE, { params: { path: { slug } }, body }));
}

export async function deleteType(slug: string): Promise<void> {
  await answer(client.DELETE(TYPE, { params: { path: { slug } } }));
}

/** The things of a type that the person may see, a page of them. */
export async function listThings(
  slug: string,
  { page, limit, search, tag, sort, order, field, value }: ThingsQuery & { page: number; limit: number },
  signal: AbortSignal,
): Promise<Rows<Thing>> {
  const query = given({ search: search.trim(), tag, sort, order: order === '' ? undefined : order, page, per_page: limit });
  // What a list is narrowed by has the name of a field, which no document knows.
  if (field !== '' && value !== '') Object.assign(query, { [`f.${field}`]: value });
  const { objects, total } = await answer(client.GET(THINGS, { params: { path: { type_slug: slug }, query }, signal }));
  return { rows: objects, total };
}

export async function findThing(slug: string, id: string, signal: AbortSignal): Promise<ThingDetail> {
  return answer(client.GET(THING, { params: at(slug, id), signal }));
}

export async function createThing(slug: string, data: Data, tags: number[]): Promise<ThingDetail> {
  const body = { data, tag_ids: tags };
  return answer(client.POST(THINGS, { params: { path: { type_slug: slug } }, body }));
}

/** What is absent stays. */
export async function updateThing(slug: string, id: string, data: Data): Promise<ThingDetail> {
  return answer(client.PUT(THING, { params: at(slug, id), body: { data } }));
}

export async function deleteThing(slug: string, id: string): Promise<void> {
  await answer(client.DELETE(THING, { params: at(slug, id) }));
}

export async function revealSecret(slug: string, id: string, field: string): Promise<string> {
  return (await answer(client.POST(`${THING}/reveal`, { params: at(slug, id), body: { field } }))).value;
}

export async function addTag(slug: string, id: string, tag: number): Promise<void> {
  await answer(client.POST(`${THING}/tags`, { params: at(slug, id), body: { tag_ids: [tag] } }));
}

export async function removeTag(slug: string, id: string, tag: number): Promise<void> {
  const params = { path: { ...at(slug, id).path, tag_id: String(tag) } };
  await answer(client.DELETE(`${THING}/tags/{tag_id}`, { params }));
}

export async function addRule(
  slug: string,
  id: string,
  rule: { role_id: number; permission: string; effect: Effect },
): Promise<void> {
  await answer(client.POST(`${THING}/acl`, { params: at(slug, id), body: rule }));
}

export async function removeRule(slug: string, id: string, rule: number): Promise<void> {
  const params = { path: { ...at(slug, id).path, acl_id: String(rule) } };
  await answer(client.DELETE(`${THING}/acl/{acl_id}`, { params }));
}
