/** Fields of types, and how their values read. */
import { dateTime } from '../../format';
import type { Data, InventoryType, ThingDetail, TypeField } from './api';

export type Kind = TypeField['type'];

/** What kinds of fields are called. */
export const KINDS: Readonly<Record<Kind, string>> = {
  string: 'Line',
  text: 'Text',
  enum: 'Choice',
  integer: 'Whole number',
  boolean: 'Yes or no',
  datetime: 'Time',
  secret: 'Secret',
  json: 'JSON',
};

/** Most columns of a list, with that of names: more are not read at a glance. */
const MOST_COLUMNS = 5;

/** By which fields people know a thing, the best first, as the server has it. */
const NAMES = ['name', 'hostname', 'username', 'service_name'];

/** Whether lists are sorted and narrowed by a field. */
export function isIndexed({ type }: Pick<TypeField, 'type'>): boolean {
  return type !== 'text' && type !== 'secret' && type !== 'json';
}

/** The field that things are called by; none if they only have numbers. */
export function nameField({ fields }: Pick<InventoryType, 'fields'>): TypeField | undefined {
  const named = NAMES.map((name) => fields.find((field) => field.name === name)).find((field) => field !== undefined);
  return named ?? fields.find(({ searchable }) => searchable);
}

/** The fields that a list shows beside names. */
export function columnsOf(type: Pick<InventoryType, 'fields'>): TypeField[] {
  const name = nameField(type)?.name;
  return type.fields.filter((field) => isIndexed(field) && field.name !== name).slice(0, MOST_COLUMNS - 1);
}

/** What a field is called. */
export function labelOf({ label, name }: Pick<TypeField, 'label' | 'name'>): string {
  return label || name;
}

/** A value as people read it; empty if there is none. */
export function shown({ type }: Pick<TypeField, 'type'>, value: unknown): string {
  if (value === null || value === undefined || value === '') return '';
  if (type === 'boolean' && typeof value === 'boolean') return value ? 'Yes' : 'No';
  if (type === 'datetime') return dateTime(String(value));
  if (type === 'json' || typeof value === 'object') return JSON.stringify(value, null, 2);
  return String(value);
}

/** What a thing has that its type knows no field for. */
export function beyond({ fields }: Pick<InventoryType, 'fields'>, data: Data): [string, string][] {
  const known = new Set(fields.map(({ name }) => name));
  return Object.entries(data).flatMap(([name, value]) => (known.has(name) ? [] : [[name, shown({ type: 'json' }, value)]]));
}

/** What goes with a thing that is removed, in words. */
export function lossesOf(
  { fields }: Pick<InventoryType, 'fields'>,
  { data, tags, acl_rules }: Pick<ThingDetail, 'data' | 'tags' | 'acl_rules'>,
): string[] {
  const has = (value: unknown): boolean => value !== null && value !== undefined && value !== '';
  const secrets = fields.filter(({ name, type }) => type === 'secret' && has(data[name])).length;
  const values = Object.values(data).filter(has).length - secrets;
  const counted: [number, string, string][] = [
    [values, 'value', 'values'],
    [secrets, 'secret', 'secrets'],
    [tags.length, 'tag that it has', 'tags that it has'],
    [acl_rules?.length ?? 0, 'rule about it', 'rules about it'],
  ];
  const said = counted
    .filter(([count]) => count > 0)
    .map(([count, one, many]) => (count === 1 ? `1 ${one}` : `${count} ${many}`));
  return said.length === 0 ? ['its number'] : said;
}
