// @vitest-environment happy-dom
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from '../../api/error';
import { addressOf, deploy, listFiles, readConfig, readFile, runScript, uploadFile, writeConfig } from './api';

/** What was asked, one after another, and what is answered; there before the client, which takes `fetch` when it is made. */
const edge = vi.hoisted(() => {
  const edge = { asked: [] as { call: string; body: string }[], status: 200, body: '' };
  vi.stubGlobal('fetch', async (request: Request) => {
    const path = new URL(request.url).pathname;
    edge.asked.push({ call: `${request.method} ${path}`, body: await request.clone().text() });
    return new Response(edge.body, { status: edge.status, headers: { 'Content-Length': String(edge.body.length) } });
  });
  return edge;
});
const { asked } = edge;

function answering(status: number, body: string): void {
  Object.assign(edge, { status, body });
}

afterEach(() => void asked.splice(0));

describe('a service', () => {
  it('starts jobs, which are named in the answer', async () => {
    answering(200, '{"job_id":"0a1b2c3d","status":"running"}');
    expect(await deploy('web')).toBe('0a1b2c3d');
    expect(await runScript('web@0123456789ab', 'add-user', { username: 'ada', groups: ['ops'] })).toBe('0a1b2c3d');
    expect(asked).toEqual([
      { call: 'POST /api/services/web/deploy', body: '' },
      {
        call: 'POST /api/services/web%400123456789ab/run',
        body: '{"script":"add-user","inputs":{"username":"ada","groups":["ops"]}}',
      },
    ]);
  });

  it('has configs that are read and written as texts', async () => {
    answering(200, '{"filename":"config.yaml","content":"a: 1\\n"}');
    expect(await readConfig('web', 'config.yaml')).toBe('a: 1\n');
    await writeConfig('web', 'config.yaml', 'a: 2\n');
    expect(asked.at(-1)).toEqual({ call: 'PUT /api/services/web/configs/config.yaml', body: '{"content":"a: 2\\n"}' });
  });

  it('says in the words of the server what was wrong', async () => {
    const words = 'content is not valid YAML: line 2';
    answering(400, JSON.stringify({ error: words, fields: [{ field: 'content', message: 'is not valid YAML: line 2' }] }));
    const error = await writeConfig('web', 'config.yaml', 'a: [').catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(ApiError);
    expect((error as ApiError).fields).toEqual({ content: 'Is not valid YAML: line 2.' });
  });

  it('has files, of which an empty one is one as well', async () => {
    answering(200, '{"files":[{"name":"hosts","size":0,"modified":"2026-02-06T12:00:00Z"}]}');
    expect((await listFiles('web', 'inputs', new AbortController().signal)).files).toHaveLength(1);
    answering(200, '');
    expect(await readFile('web', 'inputs', 'a b')).toBe('');
    answering(200, 'plain');
    expect(await readFile('web', 'inputs', 'a b')).toBe('plain');
    expect(asked.at(-1)?.call).toBe('GET /api/services/web/files/inputs/a%20b');
    expect(addressOf('web', 'outputs', 'a b?')).toBe('/api/services/web/files/outputs/a%20b%3F');
  });

  it('takes a file as a form', async () => {
    answering(200, '{"status":"uploaded","filename":"hosts"}');
    await uploadFile('web', 'inputs', new File(['127.0.0.1'], 'hosts'));
    expect(asked[0]?.call).toBe('POST /api/services/web/files/inputs');
    expect(asked[0]?.body).toContain('name="file"; filename="hosts"');
  });
});
