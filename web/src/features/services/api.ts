/** Services of runners: what the API says of them, and what it is asked to do. */
import { answer, client } from '../../api/client';
import type { components } from '../../api/schema';

export type Service = components['schemas']['Service'];
export type ServiceDetail = components['schemas']['ServiceDetail'];
export type Runner = components['schemas']['Runner'];
export type Deployment = components['schemas']['Deployment'];

/** Most bytes of a config, and of any file that is written, as the API has it. */
export const MAX_WRITTEN = 102_400;

export type Config = components['schemas']['ConfigEntry'];

/** Where the files of a service are, besides its configs. */
export type Subdir = 'inputs' | 'outputs';

export type ServiceFile = components['schemas']['FileEntry'];
export type ServiceFiles = components['schemas']['FileList'];

export async function listServices(signal: AbortSignal): Promise<Service[]> {
  return (await answer(client.GET('/api/services', { signal }))).services;
}

export async function listDeployments(signal?: AbortSignal): Promise<Deployment[]> {
  return (await answer(client.GET('/api/services/active-deployments', signal ? { signal } : {}))).deployments;
}

export async function findService(name: string, signal: AbortSignal): Promise<ServiceDetail> {
  return answer(client.GET('/api/services/{name}', { params: { path: { name } }, signal }));
}

export async function findVaultPassword(signal: AbortSignal): Promise<components['schemas']['VaultPassword']> {
  return answer(client.GET('/api/services/vault-password', { signal }));
}

/** Another password of vaults, or none. */
export async function setVaultPassword(password: string | null): Promise<void> {
  await answer(client.PUT('/api/services/vault-password', { body: { password } }));
}

/** A person's key for SSH, as scripts ask for it. */
export interface PublicKey {
  /** Whose it is. */
  owner: string;
  key: string;
}

export async function listPublicKeys(): Promise<PublicKey[]> {
  const { keys } = await answer(client.GET('/api/auth/ssh-keys'));
  return keys.map(({ username, display_name, ssh_public_key }) => ({
    owner: display_name || username,
    key: ssh_public_key,
  }));
}

/** Deploys a service. Answers the job. */
export async function deploy(name: string): Promise<string> {
  return (await answer(client.POST('/api/services/{name}/deploy', { params: { path: { name } } }))).job_id;
}

/** Halts the instances of a service. Answers the job. */
export async function stopService(name: string): Promise<string> {
  return (await answer(client.POST('/api/services/{name}/stop', { params: { path: { name } } }))).job_id;
}

/** Halts all instances. Answers the job. */
export async function stopAll(): Promise<string> {
  return (await answer(client.POST('/api/services/actions/stop-all'))).job_id;
}

/** Runs a script of a service. Answers the job. */
export async function runScript(name: string, script: string, inputs: Record<string, string | string[]>): Promise<string> {
  const asked = { params: { path: { name } }, body: { script, inputs } };
  return (await answer(client.POST('/api/services/{name}/run', asked))).job_id;
}

/** What a service says of itself once it is deployed, as its file has it. */
export async function listOutputs(name: string, signal: AbortSignal): Promise<unknown[]> {
  const asked = { params: { path: { name } }, signal };
  return (await answer(client.GET('/api/services/{name}/outputs', asked))).outputs;
}

export async function listConfigs(name: string, signal: AbortSignal): Promise<Config[]> {
  const asked = { params: { path: { name } }, signal };
  return (await answer(client.GET('/api/services/{name}/configs', asked))).configs;
}

export async function readConfig(name: string, config: string): Promise<string> {
  return (await answer(client.GET('/api/services/{name}/configs/{config}', { params: { path: { name, config } } }))).content;
}

export async function writeConfig(name: string, config: string, content: string): Promise<void> {
  await answer(
    client.PUT('/api/services/{name}/configs/{config}', { params: { path: { name, config } }, body: { content } }),
  );
}

export async function listFiles(name: string, subdir: Subdir, signal: AbortSignal): Promise<ServiceFiles> {
  return answer(client.GET('/api/services/{name}/files/{subdir}', { params: { path: { name, subdir } }, signal }));
}

const FILE = '/api/services/{name}/files/{subdir}/{file_name}';

export async function readFile(name: string, subdir: Subdir, file: string): Promise<string> {
  const asked = client.GET(FILE, { params: { path: { name, subdir, file_name: file } }, parseAs: 'text' });
  // Of an empty file there is no body.
  return answer(asked.then((said) => (said.response.ok ? { ...said, data: said.data ?? '' } : said)));
}

export async function writeFile(name: string, subdir: Subdir, file: string, content: string): Promise<void> {
  await answer(client.PUT(FILE, { params: { path: { name, subdir, file_name: file } }, body: { content } }));
}

export async function deleteFile(name: string, subdir: Subdir, file: string): Promise<void> {
  await answer(client.DELETE(FILE, { params: { path: { name, subdir, file_name: file } } }));
}

export async function uploadFile(name: string, subdir: Subdir, file: File): Promise<void> {
  const form = new FormData();
  form.set('file', file);
  const asked = { params: { path: { name, subdir } }, body: { file: '' }, bodySerializer: () => form };
  await answer(client.POST('/api/services/{name}/files/{subdir}', asked));
}

/** Where a file is downloaded. */
export function addressOf(name: string, subdir: Subdir, filename: string): string {
  return `/api/services/${[name, 'files', subdir, filename].map(encodeURIComponent).join('/')}`;
}
