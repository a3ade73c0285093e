/** How the product is called here, and what it looks like. Until the server has said it, it is as it comes. */
import { answer, client } from '../api/client';
import type { components } from '../api/schema';

export type Branding = components['schemas']['Branding'];

/** The name where nobody has said another. */
const AS_IT_COMES = 'VSAY Edge';

class Brand {
  #said = $state.raw<Branding | null>(null);

  get said(): Branding | null {
    return this.#said;
  }

  /** The parts of the name, each with its colour. */
  get parts(): { text: string; color: string }[] {
    const said = this.#said;
    if (said === null) return [{ text: AS_IT_COMES, color: '' }];
    const parts = [
      { text: said.name_part1, color: said.name_part1_color },
      { text: said.name_part2, color: said.name_part2_color },
    ];
    return parts.filter(({ text }) => text !== '');
  }

  /** Never empty: a picture alone names nothing in a title. */
  get name(): string {
    return this.parts.map(({ text }) => text).join(' ') || AS_IT_COMES;
  }

  get logo(): string {
    return this.#said?.logo_url ?? '';
  }

  /** Asks the server. A page without its name in the colours of the house is better than none. */
  async load(): Promise<void> {
    try {
      this.show(await answer(client.GET('/api/branding')));
    } catch {
      // As it comes.
    }
  }

  show(said: Branding): void {
    this.#said = said;
    const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
    if (icon === null) return;
    icon.removeAttribute('type');
    icon.href = said.favicon_url || '/icon.svg';
  }
}

export const brand = new Brand();
