/** Instances at a provider: what the API says of them, and what it is asked to do. */
import { answer, client } from '../../api/client';
import type { components } from '../../api/schema';

export type InstanceList = components['schemas']['InstanceList'];
export type Host = components['schemas']['InventoryHost'];
export type Costs = components['schemas']['Costs'];
export type Provider = components['schemas']['ProviderState'];

export async function listInstances(signal: AbortSignal): Promise<InstanceList> {
  return answer(client.GET('/api/instances', { signal }));
}

/** Has the instances listed anew. Answers the job, as do all that start one. */
export async function refreshInstances(): Promise<string> {
  return (await answer(client.POST('/api/instances/refresh'))).job_id;
}

/** Halts an instance, or destroys it. */
export async function stopInstance(label: string, region: string, destroy: boolean): Promise<string> {
  const body = destroy ? { label, region, destroy, confirm: label } : { label, region };
  return (await answer(client.POST('/api/instances/stop', { body }))).job_id;
}

export async function readCosts(signal: AbortSignal): Promise<Costs> {
  return answer(client.GET('/api/costs', { signal }));
}

export async function refreshCosts(): Promise<string> {
  return (await answer(client.POST('/api/costs/refresh'))).job_id;
}

export async function readProvider(signal: AbortSignal): Promise<Provider> {
  return answer(client.GET('/api/instances/provider', { signal }));
}

export async function setProvider(key: string): Promise<void> {
  await answer(client.PUT('/api/instances/provider', { body: { api_key: key } }));
}

export async function removeProvider(): Promise<void> {
  await answer(client.DELETE('/api/instances/provider'));
}
