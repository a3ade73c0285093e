/** How long logs and recordings are kept, and what goes when they are kept for less. */
import { answer, client } from '../../api/client';
import type { components } from '../../api/schema';

export type LogConfig = components['schemas']['LogConfig'];
export type LogRun = components['schemas']['LogRun'];

/** A day, in milliseconds. */
const DAY = 86_400_000;

/** How many of the last hours are shown in which something was removed. */
const SHOWN = 5;

/** What would go that is there: from when back. */
export interface Goes {
  logs: Date | null;
  recordings: Date | null;
}

/** From when back something goes that is kept for so many days; nothing where all of it stays, or none is that old. */
function goesBefore(days: number, oldest: string | null | undefined, now: number): Date | null {
  const since = now - days * DAY;
  return days > 0 && oldest != null && Date.parse(oldest) < since ? new Date(since) : null;
}

/**
 * What goes when an organization keeps its logs and recordings for so many days. What stays as it is asks nobody: what it removes
 * is removed anyway.
 */
export function whatGoes(config: LogConfig, days: { logs: number; recordings: number }, now: number): Goes {
  return {
    logs: days.logs === config.retention_days ? null : goesBefore(days.logs, config.oldest_log_at, now),
    recordings:
      days.recordings === config.recording_days ? null : goesBefore(days.recordings, config.oldest_recording_at, now),
  };
}

/** "12 rows of the command log, 1 session": what was removed within an hour. */
export function describeRun(run: LogRun): string {
  const parts: [number, string, string][] = [
    [run.logs_deleted, 'row of the command log', 'rows of the command log'],
    [run.sessions_deleted, 'session', 'sessions'],
    [run.commands_deleted, 'command that was sent', 'commands that were sent'],
    [run.recordings_deleted, 'recording', 'recordings'],
    [run.jobs_deleted, 'job', 'jobs'],
  ];
  const some = parts.filter(([count]) => count > 0);
  return some.map(([count, one, more]) => `${count} ${count === 1 ? one : more}`).join(', ');
}

export async function findLogConfig(): Promise<LogConfig> {
  return answer(client.GET('/api/log-management/config', {}));
}

/** The last hours in which something was removed. */
export async function listLogRuns(signal: AbortSignal): Promise<LogRun[]> {
  return (await answer(client.GET('/api/log-management/runs', { params: { query: { page: 1, limit: SHOWN } }, signal })))
    .runs;
}
