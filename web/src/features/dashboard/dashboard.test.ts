import { expect, it } from 'vitest';
import { figuresOf, type Stats } from './dashboard';

const stats = (facts: Partial<Stats>): Stats => ({
  online_count: 0,
  offline_count: 0,
  pending_count: 0,
  warning_count: 0,
  critical_count: 0,
  total_machines: 0,
  active_machines: 0,
  inactive_machines: 0,
  total_sessions: 0,
  avg_cpu: 0,
  avg_memory: 0,
  avg_disk: 0,
  avg_network_in: 0,
  avg_network_out: 0,
  ...facts,
});
const value = (term: string, facts: Partial<Stats>) => figuresOf(stats(facts)).find((figure) => figure.term === term);

it('a mean of no machines is none', () => {
  expect(value('CPU, mean', {})?.value).toBe('–');
  expect(value('CPU, mean', { online_count: 1, avg_cpu: 12.4 })?.value).toBe('12 %');
});

it('says how many are in trouble, the worst first', () => {
  expect(value('At a threshold', {})).toEqual({ term: 'At a threshold', value: 'None' });
  expect(value('At a threshold', { warning_count: 2 })).toMatchObject({ value: '2 warned of', tone: 'warn' });
  expect(value('At a threshold', { warning_count: 2, critical_count: 1 })).toMatchObject({
    value: '1 critical, 2 warned of',
    tone: 'bad',
  });
});
