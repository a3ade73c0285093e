/** How services read. */
import { ago } from '../../format';
import type { Runner } from './api';
import { record, text } from './yaml';

/** Whether a runner is there, or how old what it said is. */
export function describeRunner({ online, told_at }: Pick<Runner, 'online' | 'told_at'>, now: number): string {
  return online ? 'Online' : `Offline, as it was ${ago(told_at, now)}`;
}

/** What a service says of itself once it is deployed. */
export interface Output {
  /** `url`, `credential`, or anything else. */
  type: string;
  label: string;
  value: string;
  /** Of a credential. */
  username: string;
}

/** What a `service_outputs.yaml` says, which is people's, too. */
export function outputsOf(raw: readonly unknown[]): Output[] {
  return raw.map(record).flatMap(({ name, type, label, value, username }) => {
    const called = text(label) || text(name);
    return called === '' ? [] : [{ type: text(type), label: called, value: text(value), username: text(username) }];
  });
}

/** Where a link of an output may lead; nothing if it is not one to follow. */
export function linkOf(value: string): string | null {
  return /^https?:\/\//i.test(value) && URL.canParse(value) ? value : null;
}

/** What stands for a secret that is not told. */
export const MASKED = '********';
