/** The machines that a person wants at the top. Kept in the browser, for each account. */
import { auth } from '../../auth/auth.svelte';

class Favourites {
  /** Counts up when something else is kept. */
  #changes = $state(0);
  #ids = $derived.by(() => {
    void this.#changes;
    return parse(localStorage.getItem(keyOf(auth.userId)));
  });

  has(agentId: string): boolean {
    return this.#ids.has(agentId);
  }

  toggle(agentId: string): void {
    const ids = new Set(this.#ids);
    if (!ids.delete(agentId)) ids.add(agentId);
    localStorage.setItem(keyOf(auth.userId), JSON.stringify([...ids]));
    this.#changes++;
  }
}

function keyOf(user: string): string {
  return `vsay.favourites.${user}`;
}

function parse(text: string | null): ReadonlySet<string> {
  try {
    const ids: unknown = JSON.parse(text ?? '[]');
    return new Set(Array.isArray(ids) ? ids.filter((id) => typeof id === 'string') : []);
  } catch {
    return new Set();
  }
}

export const favourites = new Favourites();
