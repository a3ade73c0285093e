import { describe, expect, it } from 'vitest';
import { type Delivery, describeAttempt, stateOf, type Webhook } from './webhooks';

const WEBHOOK: Webhook = {
  id: 'w1',
  name: 'ops',
  url: 'https://hooks.example.org',
  events: [],
  active: true,
  failing_since: null,
  switched_off_at: null,
  former_secret_until: null,
  pending: 0,
  created_at: '2026-02-06T12:00:00Z',
  updated_at: '2026-02-06T12:00:00Z',
};

const DELIVERY: Delivery = {
  id: 'd1',
  event: 'test',
  summary: 'A test',
  payload: '{}',
  status: 'delivered',
  attempts: 1,
  next_attempt_at: null,
  last_attempt_at: '2026-02-06T12:00:00Z',
  response_status: 200,
  duration_ms: 12,
  response: 'ok',
  error: '',
  created_at: '2026-02-06T12:00:00Z',
};

describe('a webhook', () => {
  it.each([
    [{}, 'On'],
    [{ failing_since: '2026-02-06T12:00:00Z' }, 'Nothing arrives'],
    [{ active: false }, 'Off'],
    [{ active: false, switched_off_at: '2026-02-06T12:00:00Z' }, 'Switched off, as nothing arrived'],
  ])('%j has a state in words', (facts, words) => expect(stateOf({ ...WEBHOOK, ...facts }).words).toBe(words));
});

describe('a delivery', () => {
  it.each([
    [{}, 'Tried once; answered 200 in 12 ms'],
    [{ attempts: 0 }, 'Not tried yet'],
    [{ attempts: 3, response_status: 500, error: 'It answered 500' }, 'Tried 3 times; answered 500 in 12 ms'],
    [
      { response_status: null, duration_ms: 10_000, error: 'It did not answer within 10 seconds' },
      'Tried once; no answer in 10.0 s: It did not answer within 10 seconds',
    ],
  ])('%j says what came of it', (facts, words) => expect(describeAttempt({ ...DELIVERY, ...facts })).toBe(words));
});
