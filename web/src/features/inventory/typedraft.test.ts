import { expect, it } from 'vitest';
import type { InventoryType } from './api';
import { actionDraft, bodyOf, fieldDraft, namesOf, typeDraft } from './typedraft';

const TYPE = {
  slug: 'rack',
  label: 'Rack',
  icon: 'server',
  description: 'Where they stand',
  fields: [
    { name: 'name', type: 'string', label: 'Name', required: true, unique: true, searchable: true, readonly: false },
    {
      name: 'os',
      type: 'enum',
      label: 'Os',
      required: false,
      unique: false,
      searchable: false,
      readonly: false,
      options: ['a', 'b'],
      default: 'a',
    },
  ],
  actions: [
    {
      name: 'audit',
      label: 'Audit',
      type: 'playbook',
      scope: 'object',
      icon: 'eye',
      confirm: '',
      destructive: false,
      playbook: '/services/ops/a.yaml',
      vars_mapping: { host: '{{ name }}' },
    },
  ],
} as unknown as InventoryType;

it('a type that nobody has touched is sent as it was', () => {
  const { icon, slug, label, description, fields, actions } = TYPE;
  expect(bodyOf(typeDraft(TYPE), TYPE)).toEqual({ icon, slug, label, description, fields, actions });
});

it('a new one begins with a name, which nothing else is like', () => {
  const { fields } = bodyOf(typeDraft(null), null);
  expect(fields).toEqual([
    { name: 'name', label: 'Name', type: 'string', required: true, unique: true, searchable: true, readonly: false },
  ]);
});

it('choices and variables are lines, and what another kind has is not sent', () => {
  const draft = typeDraft(null);
  draft.fields = [{ ...fieldDraft(null), name: ' os ', type: 'enum', options: ' a \n\nb\n' }];
  const action = {
    ...actionDraft(null),
    name: 'go',
    script: 'x.sh',
    service: 'ops',
    playbook: '/services/ops/a.yaml',
    variables: 'a = {{ b }}\nc',
  };
  draft.actions = [action, { ...action, type: 'playbook' }, { ...action, type: 'script_stop' }];
  const { fields, actions } = bodyOf(draft, null);
  expect(fields[0]).toMatchObject({ name: 'os', options: ['a', 'b'] });
  expect(actions?.[0]).toMatchObject({ script: 'x.sh', service: 'ops' });
  expect(actions?.[1]).toMatchObject({ playbook: '/services/ops/a.yaml', vars_mapping: { a: '{{ b }}', c: '' } });
  expect(actions?.[2]).not.toHaveProperty('script');
  expect(actions?.[1]).not.toHaveProperty('service');
});

it('what can be wrong is named as the server names it', () => {
  const names = namesOf(typeDraft(TYPE));
  expect(names).toContain('fields[1].options');
  expect(names).toContain('actions[0].vars_mapping');
  expect(names).not.toContain('fields[2].name');
});
