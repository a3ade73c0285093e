/** Webhooks: addresses that are told of what happens, and what became of each delivery. */
import { answer, client } from '../../api/client';
import { given, type Rows } from '../../api/query';
import type { components } from '../../api/schema';

export type Webhook = components['schemas']['Webhook'];
export type WebhookEvent = components['schemas']['WebhookEvent'];
export type Delivery = components['schemas']['Delivery'];

/** What a webhook can be told of whatever rules say, and how that reads. */
export const EVENTS: Record<WebhookEvent, string> = {
  alert_raised: 'An alert of any rule is raised',
  alert_resolved: 'An alert is over',
  machine_offline: 'A machine goes away',
  machine_online: 'A machine is back',
  session_start: 'Somebody opens a terminal',
  failed_login: 'A sign-in fails',
  command: 'A command is run',
  high_usage: 'A machine does worse or better',
};

/** How a delivery went, in a word, with its colour. */
export const OUTCOMES: Record<Delivery['status'], { words: string; tone: 'edge' | 'warn' | 'bad' }> = {
  pending: { words: 'Waiting', tone: 'warn' },
  delivered: { words: 'Arrived', tone: 'edge' },
  failed: { words: 'Failed', tone: 'bad' },
};

/** A webhook's state in a word. */
export function stateOf(webhook: Webhook): { words: string; tone: 'plain' | 'edge' | 'warn' | 'bad' } {
  if (!webhook.active)
    return webhook.switched_off_at == null
      ? { words: 'Off', tone: 'plain' }
      : { words: 'Switched off, as nothing arrived', tone: 'bad' };
  return webhook.failing_since == null ? { words: 'On', tone: 'edge' } : { words: 'Nothing arrives', tone: 'warn' };
}

/** What the last attempt came to: `200 in 12 ms`, `no answer in 10 s: It did not answer`. */
export function describeAttempt({ attempts, response_status, duration_ms, error }: Delivery): string {
  if (attempts === 0) return 'Not tried yet';
  const took =
    duration_ms == null ? '' : ` in ${duration_ms >= 1000 ? `${(duration_ms / 1000).toFixed(1)} s` : `${duration_ms} ms`}`;
  const tries = attempts === 1 ? 'once' : `${attempts} times`;
  const answered = response_status == null ? 'no answer' : `answered ${response_status}`;
  return `Tried ${tries}; ${answered}${took}${error === '' || response_status != null ? '' : `: ${error}`}`;
}

/** A webhook as it is saved. */
export interface Draft {
  name: string;
  url: string;
  events: WebhookEvent[];
  active: boolean;
}

export async function listWebhooks(signal?: AbortSignal): Promise<Webhook[]> {
  return (await answer(client.GET('/api/webhooks', signal ? { signal } : {}))).webhooks;
}

export async function findWebhook(id: string, signal: AbortSignal): Promise<Webhook> {
  return answer(client.GET('/api/webhooks/{webhook_id}', { params: at(id), signal }));
}

/** The new webhook's secret, which is never shown again. */
export async function createWebhook(body: Draft): Promise<string> {
  return (await answer(client.POST('/api/webhooks', { body }))).secret;
}

export async function updateWebhook(id: string, body: Draft): Promise<void> {
  await answer(client.PUT('/api/webhooks/{webhook_id}', { params: at(id), body }));
}

/** Another secret for a webhook, which is never shown again. */
export async function rotateSecret(id: string): Promise<string> {
  return (await answer(client.POST('/api/webhooks/{webhook_id}/rotate-secret', { params: at(id) }))).secret;
}

export async function deleteWebhook(id: string): Promise<void> {
  await answer(client.DELETE('/api/webhooks/{webhook_id}', { params: at(id) }));
}

export async function testWebhook(id: string): Promise<Delivery> {
  return answer(client.POST('/api/webhooks/{webhook_id}/test', { params: at(id) }));
}

export async function listDeliveries(
  id: string,
  query: { page: number; limit: number },
  signal: AbortSignal,
): Promise<Rows<Delivery>> {
  const params = { ...at(id), query: given({ ...query }) };
  const { deliveries, total } = await answer(client.GET('/api/webhooks/{webhook_id}/deliveries', { params, signal }));
  return { rows: deliveries, total };
}

export async function redeliver(id: string, deliveryId: string): Promise<Delivery> {
  const path = { webhook_id: id, delivery_id: deliveryId };
  return answer(client.POST('/api/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver', { params: { path } }));
}

function at(id: string): { path: { webhook_id: string } } {
  return { path: { webhook_id: id } };
}
