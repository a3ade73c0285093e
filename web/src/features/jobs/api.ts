/** Jobs of runners: what the API says of them, and what it is asked to do. */
import { answer, client } from '../../api/client';
import { given, type Rows } from '../../api/query';
import type { components } from '../../api/schema';

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

export async function findJob(id: string, signal: AbortSignal): Promise<Job> {
  return answer(client.GET('/api/jobs/{job_id}', { params: { path: { job_id: id } }, signal }));
}

/** Pause between two looks at what a job writes, in milliseconds. */
const LOOK_EVERY = 1000;

/** Reads what a job writes, from its first line on, until it is over: then it answers `true`. One that is over is read as well. */
export async function readLog(id: string, take: (line: string) => void, signal: AbortSignal): Promise<boolean> {
  for (let had = 0; ; ) {
    const { output, status } = await findJob(id, signal);
    const over = status !== 'running';
    // The last line may not be all there yet.
    const whole = over ? output : output.slice(0, -1);
    for (const line of whole.slice(had)) take(line);
    had = whole.length;
    if (over) return true;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
  }
}
