/** Rules about things, and what tags let people do, in words. */
import type { InventoryType, Rule, TagPermission, TypeAction } from './api';

/** Permissions and how they read. */
export type Rights = readonly (readonly [string, string])[];

const BASIC: Rights = [
  ['view', 'See it'],
  ['edit', 'Change it'],
  ['delete', 'Remove it'],
  ['reveal', 'See its secrets'],
];

const VERBS: Readonly<Record<string, string>> = {
  view: 'see',
  edit: 'change',
  delete: 'remove',
  reveal: 'see the secrets of',
};

/** What rules about things of these types can be about, and how it reads. */
export function rightsOf(types: readonly Pick<InventoryType, 'actions'>[]): Rights {
  const actions = types.flatMap(({ actions: all }) => all.filter(({ scope }) => scope !== 'type'));
  return [...new Map([...BASIC, ...actions.map((action) => [action.name, titleOf(action)] as const)])];
}

/** What an action is called. */
export function titleOf({ label, name }: Pick<TypeAction, 'label' | 'name'>): string {
  return label || name;
}

/** What somebody may do, between “may” and with what: "see", "use “Restart” on". */
function doing(permission: string, rights: Rights): string {
  const label = rights.find(([right]) => right === permission)?.[1] ?? permission;
  return VERBS[permission] ?? `use “${label}” on`;
}

/** What a rule about a thing means. */
export function describeRule(rule: Pick<Rule, 'role_name' | 'permission' | 'effect'>, rights: Rights): string {
  const what = `${doing(rule.permission, rights)} it`;
  return rule.effect === 'deny'
    ? `Whoever has the role ${rule.role_name} may not ${what}, whatever else would let them.`
    : `Whoever has the role ${rule.role_name} may ${what}, unless a rule keeps them from it.`;
}

/** What a tag lets people do. */
export function describePermission(given: Pick<TagPermission, 'role_name' | 'permission'>, rights: Rights): string {
  return `Whoever has the role ${given.role_name} may ${doing(given.permission, rights)} whatever has this tag.`;
}
