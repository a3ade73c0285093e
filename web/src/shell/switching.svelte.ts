/** Going from one organization to another without signing in anew. */
import { ApiError, inWords } from '../api/error';
import { auth } from '../auth/auth.svelte';
import type { Step, Tenant } from '../auth/flow';
import { tabs } from '../terminal/tabs.svelte';

class Switching {
  #to = $state.raw<Tenant | null>(null);
  #step = $state.raw<Step | null>(null);
  #error = $state<string | null>(null);

  /** Where to; `null` while nobody is on the way. */
  get to(): Tenant | null {
    return this.#to;
  }

  /** What the server wants to know first. */
  get step(): Step | null {
    return this.#step;
  }

  /** Why it cannot be. */
  get error(): string | null {
    return this.#error;
  }

  async choose(tenant: Tenant): Promise<void> {
    if (tenant.tenant_id === auth.user?.tenant_id) return;
    this.stop();
    this.#to = tenant;
    try {
      this.next(await auth.select(tenant.tenant_id));
    } catch (cause) {
      const over = cause instanceof ApiError && cause.status === 401;
      this.#error = over ? 'You signed in too long ago to switch. Sign out and in again.' : inWords(cause);
    }
  }

  next(step: Step): void {
    this.#step = step;
    if (step.kind !== 'done') return;
    tabs.clear();
    auth.begin(step);
    // Nothing of what the page has shown belongs to the other organization.
    location.assign('/machines');
  }

  stop(): void {
    this.#to = null;
    this.#step = null;
    this.#error = null;
  }
}

export const switching = new Switching();
