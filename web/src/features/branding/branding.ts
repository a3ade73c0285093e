/** Name and look of the product here, for those who may change it. */
import { answer, client } from '../../api/client';
import type { components } from '../../api/schema';
import { type Branding, brand } from '../../brand/brand.svelte';

export type BrandingChange = components['schemas']['UpdateBranding'];

export async function findBranding(signal: AbortSignal): Promise<Branding> {
  return await answer(client.GET('/api/branding', { signal }));
}

/** Changes it, and shows it at once. */
export async function updateBranding(body: BrandingChange): Promise<void> {
  brand.show(await answer(client.PUT('/api/admin/branding', { body })));
}
