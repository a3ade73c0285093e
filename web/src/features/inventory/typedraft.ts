/** What somebody types to make or change a type. */
import type { InventoryType, NewType, TypeAction, TypeField } from './api';

export interface FieldDraft {
  /** Tells it from its neighbours while they are moved about. */
  key: number;
  /** As it was, with what the form does not show. */
  before: TypeField | null;
  name: string;
  label: string;
  type: TypeField['type'];
  required: boolean;
  unique: boolean;
  searchable: boolean;
  readonly: boolean;
  /** Of a choice, one on each line. */
  options: string;
}

export interface ActionDraft {
  key: number;
  before: TypeAction | null;
  name: string;
  label: string;
  type: NonNullable<TypeAction['type']>;
  scope: NonNullable<TypeAction['scope']>;
  script: string;
  service: string;
  playbook: string;
  /** Of a playbook, what it is given: `variable=template` on each line. */
  variables: string;
  confirm: string;
  destructive: boolean;
}

export interface TypeDraft {
  slug: string;
  label: string;
  description: string;
  fields: FieldDraft[];
  actions: ActionDraft[];
}

/** What actions of an organization's own types can be, and how it reads. */
export const ACTION_TYPES: Readonly<Record<ActionDraft['type'], string>> = {
  script: 'Run a script of a service',
  dynamic_scripts: 'Run a script that is chosen then',
  script_stop: 'Halt the instances of a service',
  playbook: 'Run a playbook',
  ssh: 'Open a terminal by SSH',
  builtin: 'What the server does itself',
  builtin_config: 'Show the configs of a service',
  builtin_files: 'Show the files of a service',
};

let keys = 0;

export function fieldDraft(field: TypeField | null): FieldDraft {
  const {
    name = '',
    label = '',
    type = 'string',
    required = false,
    unique = false,
    searchable = false,
    readonly = false,
  } = field ?? {};
  return {
    key: ++keys,
    before: field,
    name,
    label,
    type,
    required,
    unique,
    searchable,
    readonly,
    options: (field?.options ?? []).join('\n'),
  };
}

export function actionDraft(action: TypeAction | null): ActionDraft {
  const {
    name = '',
    label = '',
    type = 'script',
    scope = 'object',
    script = '',
    service = '',
    playbook = '',
    confirm = '',
  } = action ?? {};
  const variables = Object.entries(action?.vars_mapping ?? {}).map(([variable, template]) => `${variable}=${template}`);
  return {
    key: ++keys,
    before: action,
    name,
    label,
    type,
    scope,
    script,
    service,
    playbook,
    confirm,
    variables: variables.join('\n'),
    destructive: action?.destructive ?? false,
  };
}

/** A form of a type there is, or of a new one, which begins with a name. */
export function typeDraft(type: InventoryType | null): TypeDraft {
  const first: TypeField = { name: 'name', type: 'string', label: 'Name', required: true, unique: true, searchable: true };
  return {
    slug: type?.slug ?? '',
    label: type?.label ?? '',
    description: type?.description ?? '',
    fields: type ? type.fields.map(fieldDraft) : [{ ...fieldDraft(first), before: null }],
    actions: (type?.actions ?? []).map(actionDraft),
  };
}

const lines = (typed: string): string[] =>
  typed
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

function fieldOf({ key: _, before, options, ...field }: FieldDraft): TypeField {
  const kept = before?.default != null && before.type === field.type ? { default: before.default } : {};
  const choices = field.type === 'enum' ? { options: lines(options) } : {};
  return { ...field, name: field.name.trim(), label: field.label.trim(), ...choices, ...kept };
}

function actionOf({ key: _, before, variables, ...action }: ActionDraft): TypeAction {
  const mapping = lines(variables).map((line) => {
    const at = line.indexOf('=');
    return at < 0 ? ([line, ''] as const) : ([line.slice(0, at).trim(), line.slice(at + 1).trim()] as const);
  });
  const { name, label, type, scope, confirm, destructive } = action;
  // What another kind of action asks for is not sent along.
  const parts: Partial<TypeAction> =
    type === 'playbook'
      ? { playbook: action.playbook.trim(), vars_mapping: Object.fromEntries(mapping) }
      : { service: action.service.trim(), ...(type === 'script' ? { script: action.script.trim() } : {}) };
  const icon = before?.icon ? { icon: before.icon } : {};
  return { name: name.trim(), label: label.trim(), type, scope, confirm: confirm.trim(), destructive, ...icon, ...parts };
}

/** What is sent. */
export function bodyOf(draft: TypeDraft, before: InventoryType | null): NewType {
  return {
    slug: draft.slug.trim(),
    label: draft.label.trim(),
    icon: before?.icon ?? '',
    description: draft.description.trim(),
    fields: draft.fields.map(fieldOf),
    actions: draft.actions.map(actionOf),
  };
}

/** What may be wrong with a form of so many fields and actions, as the server names it. */
export function namesOf({ fields, actions }: TypeDraft): string[] {
  const of = (what: string, count: number, parts: readonly string[]): string[] =>
    Array.from({ length: count }, (_, at) => parts.map((part) => `${what}[${at}].${part}`)).flat();
  return [
    'slug',
    'label',
    'description',
    ...of('fields', fields.length, ['name', 'label', 'unique', 'searchable', 'options']),
    ...of('actions', actions.length, ['name', 'label', 'script', 'service', 'playbook', 'vars_mapping', 'confirm']),
  ];
}
