import { describe, expect, it } from 'vitest';
import { type Draft, describeRule, describeTold, NEW_RULE } from './alerts';

describe('a rule', () => {
  it.each([
    [{}, 'When a machine is away for 5 minutes'],
    [{ minutes: 0, tag: 'web' }, 'When a machine with the tag web goes away'],
    [{ event: 'machine_online', machine_id: 'm1' }, 'When one machine is back'],
    [{ event: 'session_start', group_id: 'g1' }, 'When somebody opens a terminal on a machine of a group'],
    [{ event: 'failed_login', count: 3, minutes: 1 }, 'When 3 sign-ins with one name fail within 1 minute'],
    [{ event: 'failed_login', count: 1 }, 'When 1 sign-in with one name fails within 5 minutes'],
    [{ event: 'command' }, 'When a command is run on a machine'],
    [{ event: 'command', program: 'rm', failed_only: true }, 'When a command with rm in it fails on a machine'],
    [{ event: 'high_usage' }, 'When a machine does critically'],
    [{ event: 'high_usage', level: 'warning' }, 'When a machine does badly'],
  ] as [Partial<Draft>, string][])('%j reads as a sentence', (facts, words) =>
    expect(describeRule({ ...NEW_RULE, ...facts })).toBe(words),
  );

  it.each([
    [[], [], 'this page only'],
    [['a'], [], '1 person'],
    [['a', 'b'], ['w'], '2 people and 1 webhook'],
    [[], ['v', 'w'], '2 webhooks'],
  ])('with %j and %j says whom it tells', (user_ids, webhook_ids, words) =>
    expect(describeTold({ ...NEW_RULE, user_ids, webhook_ids })).toBe(words),
  );
});
