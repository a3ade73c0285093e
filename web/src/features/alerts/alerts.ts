/** Alerts: what rules tell of, and how rules read. */
import { answer, client } from '../../api/client';
import { given, type Rows } from '../../api/query';
import type { components } from '../../api/schema';

export type Alert = components['schemas']['Alert'];
export type Rule = components['schemas']['AlertRule'];
export type Event = components['schemas']['AlertEvent'];

/** A rule as it is saved. */
export type Draft = Omit<Rule, 'id' | 'created_at' | 'updated_at'>;

/** What a rule can be about, and how that reads in a form. */
export const EVENTS: Record<Event, string> = {
  machine_offline: 'a machine is away',
  machine_online: 'a machine is back',
  session_start: 'somebody opens a terminal',
  failed_login: 'sign-ins fail',
  command: 'a command is run',
  high_usage: 'a machine does badly',
};

/** A rule that nobody has filled in. */
export const NEW_RULE: Draft = {
  name: '',
  event: 'machine_offline',
  tag: null,
  group_id: null,
  machine_id: null,
  minutes: 5,
  count: 5,
  program: '',
  failed_only: false,
  level: 'critical',
  quiet_minutes: 60,
  user_ids: [],
  webhook_ids: [],
  active: true,
};

function counted(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/** When a rule tells, in a sentence without its end: `When a machine with the tag web is away for 5 minutes`. */
export function describeRule(rule: Draft): string {
  const machine =
    rule.machine_id != null
      ? 'one machine'
      : rule.group_id != null
        ? 'a machine of a group'
        : rule.tag != null
          ? `a machine with the tag ${rule.tag}`
          : 'a machine';
  switch (rule.event) {
    case 'machine_offline':
      return rule.minutes === 0
        ? `When ${machine} goes away`
        : `When ${machine} is away for ${counted(rule.minutes, 'minute')}`;
    case 'machine_online':
      return `When ${machine} is back`;
    case 'session_start':
      return `When somebody opens a terminal on ${machine}`;
    case 'failed_login':
      return `When ${counted(rule.count, 'sign-in')} with one name ${rule.count === 1 ? 'fails' : 'fail'} within ${counted(rule.minutes, 'minute')}`;
    case 'command': {
      const what = rule.program === '' ? 'a command' : `a command with ${rule.program} in it`;
      return rule.failed_only ? `When ${what} fails on ${machine}` : `When ${what} is run on ${machine}`;
    }
    case 'high_usage':
      return `When ${machine} does ${rule.level === 'critical' ? 'critically' : 'badly'}`;
  }
}

/** Whom a rule tells: `2 people and 1 webhook`. */
export function describeTold({ user_ids, webhook_ids }: Draft): string {
  const people = user_ids.length === 1 ? '1 person' : `${user_ids.length} people`;
  const parts = [user_ids.length > 0 ? people : '', webhook_ids.length > 0 ? counted(webhook_ids.length, 'webhook') : ''];
  return parts.filter((part) => part !== '').join(' and ') || 'this page only';
}

export async function listAlerts(
  query: { status: string; event: string; page: number; limit: number },
  signal: AbortSignal,
): Promise<Rows<Alert>> {
  const { alerts, total } = await answer(client.GET('/api/alerts', { params: { query: given({ ...query }) }, signal }));
  return { rows: alerts, total };
}

export async function acknowledge(id: string): Promise<void> {
  await answer(client.POST('/api/alerts/{alert_id}/acknowledge', { params: { path: { alert_id: id } } }));
}

export async function listRules(signal: AbortSignal): Promise<Rule[]> {
  return (await answer(client.GET('/api/alerts/rules', { signal }))).rules;
}

export async function createRule(body: Draft): Promise<void> {
  await answer(client.POST('/api/alerts/rules', { body }));
}

export async function updateRule(id: string, body: Draft): Promise<void> {
  await answer(client.PUT('/api/alerts/rules/{rule_id}', { params: at(id), body }));
}

export async function deleteRule(id: string): Promise<void> {
  await answer(client.DELETE('/api/alerts/rules/{rule_id}', { params: at(id) }));
}

function at(id: string): { path: { rule_id: string } } {
  return { path: { rule_id: id } };
}
