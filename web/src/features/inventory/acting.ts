/** What becomes of pressing the button of an action. */
import type { Data, InventoryType, ThingDetail, TypeAction } from './api';
import type { Asked } from './doing';

/** How the console does an action: it asks and starts a job, opens a terminal, or shows what a service has. */
export type Way = 'job' | 'scripts' | 'ssh' | 'service';

export function wayOf({ type, name }: Pick<TypeAction, 'type' | 'name'>): Way {
  if (type === 'ssh' || (type === 'builtin' && name === 'ssh')) return 'ssh';
  if (type === 'builtin_config' || type === 'builtin_files') return 'service';
  return type === 'dynamic_scripts' ? 'scripts' : 'job';
}

/** The actions of a type that somebody may do with one of its things. */
export function actionsFor({ actions }: Pick<InventoryType, 'actions'>, { may }: Pick<ThingDetail, 'may'>): TypeAction[] {
  return actions.filter(({ scope, name }) => scope !== 'type' && may.includes(name));
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The service that an action of a thing is about; empty if it is about none. */
export function serviceOf({ service }: Pick<TypeAction, 'service'>, data: Data): string {
  return service || text(data.name);
}

/** Whether an action destroys a server at its provider, which asks for its label there. */
function destroys({ type, name }: Pick<TypeAction, 'type' | 'name'>): boolean {
  return type === 'builtin' && name === 'destroy';
}

/** What has to be typed before an action is done; empty if nothing has. */
export function typedFor(action: TypeAction, thing: Pick<ThingDetail, 'name' | 'data'> | null): string {
  if (!thing || !action.destructive) return '';
  return (destroys(action) && text(thing.data.vultr_label)) || thing.name;
}

/** What an action is asked with, once that was typed. */
export function askedFor(action: TypeAction, thing: Pick<ThingDetail, 'name' | 'data'> | null): Asked {
  return thing && destroys(action) ? { inputs: { confirm: typedFor({ ...action, destructive: true }, thing) } } : {};
}

/** What an action does, for whoever is asked. */
export function describeAction({ type, confirm, script, playbook, ...action }: TypeAction, data: Data): string {
  if (confirm) return confirm;
  const service = serviceOf(action, data) || 'its service';
  switch (type) {
    case 'playbook':
      return `The playbook ${playbook ?? ''} runs on its runner. You see what it writes.`;
    case 'script_stop':
      return `The instances of ${service} are halted.`;
    case 'script':
    case undefined:
      return `${script || 'deploy.sh'} of ${service} runs on its runner. You see what it writes.`;
    default:
      return 'It is done by a job. You see what it writes.';
  }
}
