/** How schedules read. */
import { duration } from '../../format';
import { titleOf } from '../jobs/jobs';
import type { Schedule, ScheduleRun } from './api';

type Tone = 'ok' | 'warn' | 'bad' | 'idle';

/** What is often wanted. */
export const PRESETS = [
  ['0 * * * *', 'Every hour'],
  ['0 4 * * *', 'Every day at 04:00'],
  ['0 4 * * 1-5', 'Monday to Friday at 04:00'],
  ['0 4 * * 0', 'Every Sunday at 04:00'],
  ['0 4 1 * *', 'On the 1st of each month at 04:00'],
] as const;

/** What becomes of a run while the one before is not over. */
export const OVERLAPS: readonly (readonly [Schedule['overlap'], string])[] = [
  ['skip', 'Leave it out'],
  ['queue', 'Wait until that is over'],
  ['allow', 'Start it beside that'],
];

/** The same of a schedule, in words. */
export const OVERLAP_WORDS: Record<Schedule['overlap'], string> = {
  skip: 'Left out while the run before is not over',
  queue: 'Waits until the run before is over',
  allow: 'Started even while the run before is not over',
};

/** What became of a run, where no job says it. */
const OUTCOMES: Record<ScheduleRun['outcome'], { words: string; tone: Tone }> = {
  started: { words: 'Started', tone: 'idle' },
  queued: { words: 'Waits until the run before is over', tone: 'warn' },
  skipped_running: { words: 'Left out: the run before was not over', tone: 'warn' },
  runner_offline: { words: 'Did not run: its runner was offline', tone: 'bad' },
  missed: { words: 'Missed: the server was away', tone: 'warn' },
  not_allowed: { words: 'Not allowed', tone: 'bad' },
  failed_to_start: { words: 'Could not start', tone: 'bad' },
};

/** What became of a run, in words, with its colour. */
export function describeRun({ outcome, job_status }: Pick<ScheduleRun, 'outcome' | 'job_status'>): {
  words: string;
  tone: Tone;
} {
  if (outcome !== 'started') return OUTCOMES[outcome];
  if (job_status === 'running') return { words: 'Running', tone: 'warn' };
  if (job_status === 'completed') return { words: 'Done', tone: 'ok' };
  return job_status === 'failed' ? { words: 'Failed', tone: 'bad' } : OUTCOMES.started;
}

/** What a schedule starts: "Deploy web". */
export function startsWhat(schedule: Pick<Schedule, 'action' | 'script' | 'service'>): string {
  return titleOf({ ...schedule, script: schedule.script ?? null });
}

/** A time as clocks show it in a time zone, as this browser writes times; as the server does, if it does not know the zone. */
export function inZone(at: string, timeZone: string, local = at): string {
  try {
    return new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short', timeZone }).format(new Date(at));
  } catch {
    return local.replace('T', ' ');
  }
}

/** "in 5 h 3 min", and when that is: "6 Feb 2026, 04:30 (Europe/Berlin)". */
export function nextInWords({ next_run_at, time_zone }: Pick<Schedule, 'next_run_at' | 'time_zone'>, now: number): string {
  if (next_run_at == null) return 'Switched off';
  const seconds = (Date.parse(next_run_at) - now) / 1000;
  const soon = seconds < 60 ? 'Within a minute' : `In ${duration(seconds)}`;
  return `${soon} · ${inZone(next_run_at, time_zone)} (${time_zone})`;
}

/** The time zones that this browser knows, and those that are in use already. */
export function zones(...used: string[]): string[] {
  const known = Intl.supportedValuesOf('timeZone');
  return [...new Set(['UTC', ...used, ...known])];
}

/** The person's own. */
export function ownZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
}
