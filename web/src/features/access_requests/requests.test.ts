import { describe, expect, it } from 'vitest';
import { type AccessRequest, describeDecision, describeWish } from './requests';

const REQUEST: AccessRequest = {
  id: 'r1',
  machine_id: 'm1',
  machine_name: 'web-1',
  machine_agent_id: '000000000001',
  requester_id: '2',
  requester_username: 'grace',
  requester_email: 'grace@example.com',
  tenant_id: 'ada',
  owner_id: '1',
  owner_username: 'ada',
  owner_email: 'ada@example.com',
  request_note: '',
  machine_role: '',
  duration_hours: 8,
  status: 'pending',
  approved_by: null,
  approved_at: null,
  expires_at: null,
  rejected_by: null,
  reject_comment: '',
  revoked_by: null,
  revoked_at: null,
  requested_at: '2026-02-06T12:00:00Z',
  updated_at: '2026-02-06T12:00:00Z',
};

describe('a request', () => {
  it.each([
    [{ duration_hours: 1 }, 'For 1 hour'],
    [{ duration_hours: 36 }, 'For 36 hours'],
    [{ duration_hours: 24 }, 'For 1 day'],
    [{ duration_hours: 168, machine_role: 'allow_sudo' }, 'For 7 days, with sudo'],
    [{ duration_hours: 0 }, 'Until revoked'],
  ])('%j is for a time in words', (facts, words) => expect(describeWish({ ...REQUEST, ...facts })).toBe(words));

  it.each([
    [{}, ''],
    [{ status: 'approved', approved_by: 'ada' }, 'Approved by ada without an end'],
    [{ status: 'approved', approved_by: 'ada', expires_at: 'noon' }, 'Approved by ada until noon'],
    [{ status: 'rejected', rejected_by: 'ada', reject_comment: 'not today' }, 'Rejected by ada: not today'],
    [{ status: 'expired', expires_at: 'noon' }, 'Ended noon'],
    [{ status: 'revoked', revoked_by: 'ada' }, 'Revoked by ada'],
  ] as [Partial<AccessRequest>, string][])('%j says what came of it', (facts, words) =>
    expect(describeDecision({ ...REQUEST, ...facts }, (time) => time)).toBe(words),
  );
});
