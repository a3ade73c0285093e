/** Jobs of runners: what the API says of them, and what it is asked to do. */
import { answer, client } from '../../api/client';
import { given, type Rows } from '../../api/query';
import type { components } from '../../api/schema';
import { eventsOf } from './events';

export type Job = components['schemas']['Job'];

export interface JobsQuery {
  service: string;
  status: string;
  username: string;
}

/** The jobs that the person may see, the newest first. */
export async function listJobs(
  { page, limit, ...query }: JobsQuery & { page: number; limit: number },
  signal: AbortSignal,
): Promise<Rows<Job>> {
  const params = { query: given({ ...query, page, per_page: limit }) };
  const { jobs, total } = await answer(client.GET('/api/jobs', { params, signal }));
  return { rows: jobs, total };
}

/** Jobs about one thing of the inventory. */
export async function listJobsAbout(
  object: number,
  { page, limit }: { page: number; limit: number },
  signal: AbortSignal,
): Promise<Rows<Job>> {
  const query = { page, per_page: limit, object_id: String(object) };
  const { jobs, total } = await answer(client.GET('/api/jobs', { params: { query }, signal }));
  return { rows: jobs, total };
}

export async function findJob(id: string, signal: AbortSignal): Promise<Job> {
  return answer(client.GET('/api/jobs/{job_id}', { params: { path: { job_id: id } }, signal }));
}

export async function cancelJob(id: string): Promise<void> {
  await answer(client.DELETE('/api/jobs/{job_id}', { params: { path: { job_id: id } } }));
}

/** Runs a job once more, with what it was given. Answers the new one. */
export async function rerunJob(id: string): Promise<string> {
  return (await answer(client.POST('/api/jobs/{job_id}/rerun', { params: { path: { job_id: id } } }))).job_id;
}

/** Reads what a job writes, from its first line on, until it is over: then it answers `true`. One that is over is read as well. */
export async function readLog(id: string, take: (line: string) => void, signal: AbortSignal): Promise<boolean> {
  const asked = client.GET('/api/jobs/{job_id}/stream', { params: { path: { job_id: id } }, parseAs: 'stream', signal });
  const body = await answer(asked);
  if (body === null) return false;
  for await (const { name, data } of eventsOf(body)) {
    if (name === 'done') return true;
    if (name === 'error') throw new Error(data);
    take(data);
  }
  return false;
}
