import { describe, expect, it } from 'vitest';
import { asked, exportPath, NO_FILTER, verdict } from './audit';

const REPORT = { valid: true, entries: 1234, unsealed: 0, unauthenticated: 0, head: 'f0', broken_at: null, next: null };

describe('the audit log', () => {
  it('is asked for whole days, the last one included', () => {
    const { from = '', to = '' } = asked({ ...NO_FILTER, from: '2026-02-06', to: '2026-02-06' });
    expect(Date.parse(to) - Date.parse(from)).toBe(86_400_000 - 1);
    expect(asked({ ...NO_FILTER, from: 'nonsense' }).from).toBe('');
  });

  it('is exported as it is filtered', () => {
    expect(exportPath('csv', NO_FILTER)).toBe('/api/audit/export?format=csv');
    expect(exportPath('json', { ...NO_FILTER, action: 'login', q: ' a&b ', severity: 'info' })).toBe(
      '/api/audit/export?format=json&q=a%26b&action=login&severity=info',
    );
  });

  it('says in words whether its chain holds', () => {
    expect(verdict(REPORT)).toBe('Nothing was changed or removed: 1,234 entries checked.');
    expect(verdict({ ...REPORT, entries: 1, unsealed: 2 })).toContain('one entry checked. 2 more are too new');
    expect(verdict({ ...REPORT, entries: 0 })).toBe('Nothing is sealed yet.');
    const broken = { id: 'x', int_id: 7, reason: 'It does not match its seal' };
    expect(verdict({ ...REPORT, valid: false, entries: 6, broken_at: broken })).toBe(
      'The log is not as it was written. Entry 7: It does not match its seal. What lies before it (6 entries) is unchanged.',
    );
  });
});
