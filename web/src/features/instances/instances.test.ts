import { describe, expect, it } from 'vitest';
import { barsOf, describePower, instancesOf, matches, money } from './instances';

const web = {
  ansible_host: '192.0.2.7',
  vultr_id: 'a',
  vultr_label: 'My web',
  vultr_region: 'mel',
  vultr_plan: 'vc2-1c-1gb',
  vultr_os: 'Debian',
  vultr_power_status: 'running',
  vultr_power: 'running',
  vultr_tags: ['grafana'],
};

describe('instances', () => {
  it('are the hosts of an inventory, and none before there is one', () => {
    const instances = { all: { hosts: { 'web-1': web }, children: {} } };
    expect(instancesOf({ instances })).toEqual([{ host: 'web-1', ...web }]);
    expect(instancesOf({ instances: {} })).toEqual([]);
  });

  it.each(['web-1', 'MY WEB', '192.0.2.7', ' mel ', 'vc2', 'grafana', ''])('are found by %j', (sought) => {
    expect(matches({ host: 'web-1', ...web }, sought)).toBe(true);
  });

  it('are not found by what they have not', () => expect(matches({ host: 'web-1', ...web }, 'syd')).toBe(false));

  it.each([
    ['running', 'Running'],
    ['stopped', 'Stopped'],
    ['resizing', 'resizing'],
    ['', 'Not known'],
  ])('that are %j read so', (status, words) => expect(describePower(status).words).toBe(words));
});

describe('costs', () => {
  it('are money', () => {
    expect(money(1234.5)).toBe('$1,234.50');
    expect(money(-5)).toBe('-$5.00');
  });

  it('are bars, the longest first', () => {
    expect(barsOf({ a: 5, b: 10, c: 5 })).toEqual([
      { name: 'b', cost: 10, percent: 100 },
      { name: 'a', cost: 5, percent: 50 },
      { name: 'c', cost: 5, percent: 50 },
    ]);
    expect(barsOf({ a: 0 })).toEqual([{ name: 'a', cost: 0, percent: 0 }]);
    expect(barsOf({})).toEqual([]);
  });
});
