import { describe, expect, it } from 'vitest';
import { describeFact, describeState, type Machine, matches, tagsOf } from './machines';

const MACHINE = {
  name: 'web-1',
  description: 'Front door',
  hostname: 'ip-10-0-0-7',
  os: 'Debian 12 x86_64',
  ip_address: '10.0.0.7',
  agent_id: 'abc123def456',
  linux_user: 'deploy',
  tags: ['production'],
  status: 'online',
  is_connected: true,
} as Machine;

describe('a machine', () => {
  it.each(['', 'web', 'WEB-1', 'front door', 'debian', '10.0.0.7', 'abc123', 'production', 'web debian', 'online'])(
    'is found by %j',
    (search) => expect(matches(MACHINE, search)).toBe(true),
  );

  it.each(['db', 'web-2', 'web staging'])('is not found by %j', (search) => expect(matches(MACHINE, search)).toBe(false));

  it.each([
    ['online', true, 'Online'],
    ['online', false, 'Offline'],
    ['offline', false, 'Offline'],
    ['pending', false, 'Waiting for its agent'],
    ['revoked', false, 'Revoked'],
  ])('that is %s (connected: %s) reads “%s”', (status, is_connected, words) => {
    expect(describeState({ status, is_connected } as Machine).words).toBe(words);
  });
});

describe('tags that are typed', () => {
  it.each([
    ['', []],
    [' , ', []],
    ['web', ['web']],
    ['web, db ,web', ['web', 'db']],
    ['two words, x', ['two words', 'x']],
  ])('%j are %j', (text, tags) => expect(tagsOf(text)).toEqual(tags));
});

describe('a fact that an agent tells', () => {
  it.each([
    ['mem_total_mb', '2048', 'Memory', '2.1 GB'],
    ['mem_total_mb', 'much', 'mem_total_mb', 'much'],
    ['cpu_cores', '2', 'Processor cores', '2'],
    ['rack', 'b4', 'rack', 'b4'],
  ])('%s: %s reads %s: %s', (name, value, ...read) => expect(describeFact([name, value])).toEqual(read));
});
