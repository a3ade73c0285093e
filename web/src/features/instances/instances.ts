/** How instances and what they cost read. */
import type { Host, InstanceList } from './api';

/** An instance with its name in the inventory. */
export interface Instance extends Host {
  host: string;
}

export function instancesOf({ instances }: Pick<InstanceList, 'instances'>): Instance[] {
  return Object.entries(instances.all?.hosts ?? {}).map(([host, facts]) => ({ host, ...facts }));
}

/** Whether an instance has what somebody looks for: in its names, its address, where and what it is, or a tag. */
export function matches(instance: Instance, sought: string): boolean {
  const { host, vultr_label, ansible_host, vultr_region, vultr_plan, vultr_tags } = instance;
  const facts = [host, vultr_label, ansible_host, vultr_region, vultr_plan, ...vultr_tags];
  return facts.join(' ').toLowerCase().includes(sought.trim().toLowerCase());
}

/** Whether an instance runs, in words, with its colour. */
export function describePower(status: string): { words: string; tone: 'ok' | 'idle' | 'warn' } {
  if (status === 'running') return { words: 'Running', tone: 'ok' };
  if (status === 'stopped') return { words: 'Stopped', tone: 'idle' };
  return { words: status === '' ? 'Not known' : status, tone: 'warn' };
}

/** Money, in the currency that the provider bills in. */
export function money(amount: number): string {
  return amount.toLocaleString('en-US', { style: 'currency', currency: 'USD' });
}

/** Bars of a picture: the dearest first, each with how long it is in percent. */
export function barsOf(costs: Readonly<Record<string, number>>): { name: string; cost: number; percent: number }[] {
  const sorted = Object.entries(costs).sort(([one, a], [other, b]) => b - a || one.localeCompare(other));
  const most = Math.max(...sorted.map(([, cost]) => cost), 0);
  return sorted.map(([name, cost]) => ({ name, cost, percent: most === 0 ? 0 : (100 * cost) / most }));
}
