/** The community: issues, fixes, comments, and how they read. */
import { answer, client } from '../../api/client';
import { given, type Rows } from '../../api/query';
import type { components } from '../../api/schema';

export type Issue = components['schemas']['Issue'];
export type Fix = components['schemas']['Fix'];
export type Comment = components['schemas']['Comment'];
export type Status = components['schemas']['IssueStatus'];

/** What is being done about an issue, in words, with its colour. */
export const STATES: Record<Status, { words: string; tone: 'plain' | 'edge' | 'warn' | 'bad' }> = {
  open: { words: 'Open', tone: 'warn' },
  in_progress: { words: 'In progress', tone: 'plain' },
  resolved: { words: 'Resolved', tone: 'edge' },
  closed: { words: 'Closed', tone: 'plain' },
};

export const ORDERS = [
  ['newest', 'Newest first'],
  ['updated', 'Changed last first'],
  ['votes', 'Most votes first'],
  ['oldest', 'Oldest first'],
] as const;

/** Tags as they are typed, with commas between them. */
export function tagsOf(text: string): string[] {
  const tags = text.split(',').map((tag) => tag.trim());
  return [...new Set(tags.filter((tag) => tag !== ''))];
}

/** `3 fixes`. */
export function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

interface PageQuery {
  page: number;
  limit: number;
}

export interface IssuesQuery {
  search: string;
  status: Status | '';
  tag: string;
  machine_id: string;
  sort: (typeof ORDERS)[number][0];
}

export async function listIssues(query: IssuesQuery & PageQuery, signal: AbortSignal): Promise<Rows<Issue>> {
  const params = { query: given({ ...query }) };
  const { issues, total } = await answer(client.GET('/api/community/issues', { params, signal }));
  return { rows: issues, total };
}

export async function findIssue(id: string, signal: AbortSignal): Promise<Issue> {
  return (await answer(client.GET('/api/community/issues/{issue_id}', { params: at(id), signal }))).issue;
}

export interface Draft {
  title: string;
  description: string;
  machine_id: string;
  tags: string[];
  images: string[];
  status: Status;
}

export async function createIssue(draft: Draft): Promise<Issue> {
  return (await answer(client.POST('/api/community/issues', { body: draft }))).issue;
}

export async function updateIssue(id: string, draft: Draft): Promise<void> {
  await answer(client.PUT('/api/community/issues/{issue_id}', { params: at(id), body: draft }));
}

export async function deleteIssue(id: string): Promise<void> {
  await answer(client.DELETE('/api/community/issues/{issue_id}', { params: at(id) }));
}

/** Says that the person has the issue, too, or takes that back. */
export async function vote(id: string, give: boolean): Promise<void> {
  const path = '/api/community/issues/{issue_id}/vote';
  await answer(give ? client.POST(path, { params: at(id) }) : client.DELETE(path, { params: at(id) }));
}

export async function listFixes(id: string, query: PageQuery, signal: AbortSignal): Promise<Rows<Fix>> {
  const params = { ...at(id), query: given({ ...query }) };
  const { fixes, total } = await answer(client.GET('/api/community/issues/{issue_id}/fixes', { params, signal }));
  return { rows: fixes, total };
}

export async function createFix(id: string, body: { content: string; images: string[] }): Promise<void> {
  await answer(client.POST('/api/community/issues/{issue_id}/fixes', { params: at(id), body }));
}

export async function deleteFix({ issue_id, id }: Fix): Promise<void> {
  await answer(client.DELETE('/api/community/issues/{issue_id}/fixes/{fix_id}', { params: of(issue_id, id) }));
}

/** Says that the fix helped, or takes that back. */
export async function like({ issue_id, id }: Fix, give: boolean): Promise<void> {
  const path = '/api/community/issues/{issue_id}/fixes/{fix_id}/like';
  const params = of(issue_id, id);
  await answer(give ? client.POST(path, { params }) : client.DELETE(path, { params }));
}

export async function accept({ issue_id, id }: Fix): Promise<void> {
  await answer(client.POST('/api/community/issues/{issue_id}/fixes/{fix_id}/accept', { params: of(issue_id, id) }));
}

export async function listComments(id: string, query: PageQuery, signal: AbortSignal): Promise<Rows<Comment>> {
  const params = { ...at(id), query: given({ ...query }) };
  const { comments, total } = await answer(client.GET('/api/community/issues/{issue_id}/comments', { params, signal }));
  return { rows: comments, total };
}

export async function createComment(id: string, content: string): Promise<void> {
  await answer(client.POST('/api/community/issues/{issue_id}/comments', { params: at(id), body: { content } }));
}

export async function deleteComment({ issue_id, id }: Comment): Promise<void> {
  const params = { path: { issue_id, comment_id: id } };
  await answer(client.DELETE('/api/community/issues/{issue_id}/comments/{comment_id}', { params }));
}

/** Keeps a picture. Answers its address. */
export async function uploadPicture(file: Blob): Promise<string> {
  const form = new FormData();
  form.set('file', file);
  const sent = { body: { file: '' }, bodySerializer: () => form };
  return (await answer(client.POST('/api/community/upload', sent))).url;
}

/** The machines that an issue can be about, by name. */
export async function listMachines(signal: AbortSignal): Promise<{ id: string; name: string }[]> {
  return (await answer(client.GET('/api/machines', { signal }))).machines;
}

function at(id: string): { path: { issue_id: string } } {
  return { path: { issue_id: id } };
}

function of(issueId: string, fixId: string): { path: { issue_id: string; fix_id: string } } {
  return { path: { issue_id: issueId, fix_id: fixId } };
}
