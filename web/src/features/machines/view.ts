/** Which machines are shown, and in which order. It stands in the address, so that it can be sent to somebody and is there on Back. */
import { describeState, type Machine, matches } from './machines';

export const STATES = { online: 'Online', offline: 'Offline', pending: 'Waiting', revoked: 'Revoked' } as const;
export type State = keyof typeof STATES;

export const ORDERS = {
  state: 'Online first',
  name: 'By name',
  seen: 'Last seen first',
  cpu: 'Busiest first',
  added: 'Newest first',
} as const;
export type Order = keyof typeof ORDERS;

export interface View {
  search: string;
  /** Empty: any. */
  state: State | '';
  tag: string;
  /** A group's id. */
  group: string;
  order: Order;
}

export const EVERYTHING: View = { search: '', state: '', tag: '', group: '', order: 'state' };

/** The view that a query says; what it does not know counts as not said. */
export function viewOf(query: string): View {
  const said = new URLSearchParams(query);
  const one = (name: string): string => said.get(name) ?? '';
  const [state, order] = [one('state'), one('order')];
  return {
    search: one('search'),
    state: Object.hasOwn(STATES, state) ? (state as State) : '',
    tag: one('tag'),
    group: one('group'),
    order: Object.hasOwn(ORDERS, order) ? (order as Order) : EVERYTHING.order,
  };
}

/** The query of a view, with what differs from everything. */
export function queryOf(view: View): string {
  const differs = Object.entries(view).filter(([name, value]) => value !== EVERYTHING[name as keyof View]);
  return new URLSearchParams(differs).toString();
}

export function isFiltered({ search, state, tag, group }: View): boolean {
  return [search.trim(), state, tag, group].some((said) => said !== '');
}

/** The machines of a view, in its order; favourites come first in every order. */
export function shown(machines: readonly Machine[], view: View, isFavourite: (agentId: string) => boolean): Machine[] {
  const search = view.search.trim();
  const compare = COMPARE[view.order];
  const rank = new Map(machines.map((machine) => [machine, isFavourite(machine.agent_id) ? 0 : 1]));
  return machines
    .filter(
      (machine) =>
        (view.state === '' || stateOf(machine) === view.state) &&
        (view.tag === '' || machine.tags.includes(view.tag)) &&
        (view.group === '' || machine.group_ids.includes(view.group)) &&
        matches(machine, search),
    )
    .sort((a, b) => (rank.get(a) ?? 1) - (rank.get(b) ?? 1) || compare(a, b) || byName(a, b));
}

/** The tags there are, each once. */
export function tagsIn(machines: readonly Machine[]): string[] {
  return [...new Set(machines.flatMap(({ tags }) => tags))].sort(collator.compare);
}

function stateOf({ status, is_connected }: Machine): State {
  if (status === 'pending' || status === 'revoked') return status;
  return is_connected ? 'online' : 'offline';
}

/** `web-2` comes before `web-10`. Made once: making one takes longer than a hundred comparisons. */
const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

const byName = (a: Machine, b: Machine): number => collator.compare(a.name, b.name);

/** Words of states sort by how much a person can do there. */
const TONES = ['ok', 'idle', 'warn', 'bad'];

const later = (a: string | null | undefined, b: string | null | undefined): number =>
  Date.parse(b ?? '') - Date.parse(a ?? '') || 0;

const COMPARE: Record<Order, (a: Machine, b: Machine) => number> = {
  state: (a, b) => TONES.indexOf(describeState(a).tone) - TONES.indexOf(describeState(b).tone),
  name: byName,
  seen: (a, b) => later(a.last_active, b.last_active),
  cpu: (a, b) => (b.is_connected ? b.cpu_percent : -1) - (a.is_connected ? a.cpu_percent : -1),
  added: (a, b) => later(a.created_at, b.created_at),
};
