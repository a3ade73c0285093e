/** The audit log: what happened, by whom, and whether it is still told as it was. */
import { answer, client } from '../../api/client';
import { given, type Rows } from '../../api/query';
import type { components } from '../../api/schema';

export type AuditEntry = components['schemas']['AuditEntry'];

export type AuditTenant = components['schemas']['AuditTenant'];

/** What a walk along the chain found. */
export type ChainReport = components['schemas']['ChainReport'];

export interface AuditQuery {
  q: string;
  action: string;
  username: string;
  status: string;
  severity: string;
  /** Dates as a date field gives them. */
  from: string;
  to: string;
  tenant_id: string;
}

/** How much an entry deserves to be looked at, in words. */
export const SEVERITIES = { critical: 'Critical', warning: 'Worth a look', info: 'Routine' } satisfies Record<
  AuditEntry['severity'],
  string
>;

export const NO_FILTER: AuditQuery = {
  q: '',
  action: '',
  username: '',
  status: '',
  severity: '',
  from: '',
  to: '',
  tenant_id: '',
};

export async function listEntries(
  query: AuditQuery & { page: number; limit: number },
  signal: AbortSignal,
): Promise<Rows<AuditEntry>> {
  const params = { query: given({ ...asked(query), page: query.page, limit: query.limit }) };
  const { logs, total } = await answer(client.GET('/api/audit', { params, signal }));
  return { rows: logs, total };
}

export async function listTenants(): Promise<AuditTenant[]> {
  return (await answer(client.GET('/api/audit/tenants'))).tenants;
}

/** The address of an export of what is looked for. */
export function exportPath(format: 'csv' | 'json', query: AuditQuery): string {
  const filters = Object.entries(asked(query)).filter(([, value]) => value !== '');
  return `/api/audit/export?${new URLSearchParams([['format', format], ...filters])}`;
}

/** The filter as the API takes it: days of the person's own zone become moments, and the last day counts. */
export function asked({ q, action, username, status, severity, from, to, tenant_id }: AuditQuery): Record<string, string> {
  return {
    q: q.trim(),
    action: action.trim(),
    username: username.trim(),
    status,
    severity,
    from: moment(from, '00:00:00.000'),
    to: moment(to, '23:59:59.999'),
    tenant_id,
  };
}

function moment(day: string, time: string): string {
  const date = new Date(`${day}T${time}`);
  return day === '' || Number.isNaN(date.getTime()) ? '' : date.toISOString();
}

/** Walks the whole chain, however many requests that takes, and says what it found. */
export async function verifyChain(tenant: string): Promise<ChainReport> {
  let entries = 0;
  for (let after: number | undefined; ; ) {
    const params = { query: given({ tenant_id: tenant, after }) };
    const report = await answer(client.GET('/api/audit/verify', { params }));
    entries += report.entries;
    if (!report.valid || report.next === null || report.next === undefined || report.next === after)
      return { ...report, entries };
    after = report.next;
  }
}

/** What a walk along the chain found, in words. */
export function verdict({ valid, entries, unsealed, broken_at }: ChainReport): string {
  if (!valid) {
    const where = broken_at ? ` Entry ${broken_at.int_id}: ${broken_at.reason}.` : '';
    return `The log is not as it was written.${where} What lies before it (${count(entries)}) is unchanged.`;
  }
  const waiting = unsealed === 0 ? '' : ` ${unsealed === 1 ? 'One more is' : `${unsealed} more are`} too new to be sealed.`;
  return entries === 0
    ? `Nothing is sealed yet.${waiting}`
    : `Nothing was changed or removed: ${count(entries)} checked.${waiting}`;
}

function count(entries: number): string {
  return entries === 1 ? 'one entry' : `${entries.toLocaleString('en')} entries`;
}
