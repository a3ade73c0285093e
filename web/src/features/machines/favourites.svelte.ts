/** The machines that a person wants at the top. Kept in the browser, for each account. */
import { auth } from '../../auth/auth.svelte';

class Favourites {
  #whose = '';
  #ids = $state.raw<ReadonlySet<string>>(new Set());

  has(agentId: string): boolean {
    this.#follow();
    return this.#ids.has(agentId);
  }

  toggle(agentId: string): void {
    this.#follow();
    const ids = new Set(this.#ids);
    if (!ids.delete(agentId)) ids.add(agentId);
    this.#ids = ids;
    localStorage.setItem(keyOf(this.#whose), JSON.stringify([...ids]));
  }

  /** Another account has its own. */
  #follow(): void {
    if (auth.userId === this.#whose) return;
    this.#whose = auth.userId;
    this.#ids = parse(localStorage.getItem(keyOf(this.#whose)));
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
