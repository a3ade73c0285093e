/** Schedules: what the API says of them, and what it is asked to do. */
import { answer, client } from '../../api/client';
import { given, type Rows } from '../../api/query';
import type { components } from '../../api/schema';

export type Schedule = components['schemas']['Schedule'];
export type ScheduleRun = components['schemas']['ScheduleRun'];
export type NextRun = components['schemas']['NextRun'];
export type NewSchedule = components['schemas']['NewSchedule'];
export type SaveSchedule = components['schemas']['SaveSchedule'];

export async function listSchedules(signal?: AbortSignal): Promise<Schedule[]> {
  return (await answer(client.GET('/api/schedules', signal ? { signal } : {}))).schedules;
}

export async function findSchedule(id: string, signal: AbortSignal): Promise<Schedule> {
  return answer(client.GET('/api/schedules/{schedule_id}', { params: at(id), signal }));
}

export async function createSchedule(body: NewSchedule): Promise<Schedule> {
  return answer(client.POST('/api/schedules', { body }));
}

export async function updateSchedule(id: string, body: SaveSchedule): Promise<Schedule> {
  return answer(client.PUT('/api/schedules/{schedule_id}', { params: at(id), body }));
}

export async function deleteSchedule(id: string): Promise<void> {
  await answer(client.DELETE('/api/schedules/{schedule_id}', { params: at(id) }));
}

/** What became of a schedule's runs, the newest first. */
export async function listRuns(
  id: string,
  query: { page: number; limit: number },
  signal: AbortSignal,
): Promise<Rows<ScheduleRun>> {
  const params = { ...at(id), query: given({ ...query }) };
  const { runs, total } = await answer(client.GET('/api/schedules/{schedule_id}/history', { params, signal }));
  return { rows: runs, total };
}

/** When an expression comes next in a time zone. */
export async function previewSchedule(cron: string, time_zone: string, signal: AbortSignal): Promise<NextRun[]> {
  const params = { query: { cron, time_zone } };
  return (await answer(client.GET('/api/schedules/preview', { params, signal }))).runs;
}

function at(id: string): { path: { schedule_id: string } } {
  return { path: { schedule_id: id } };
}
