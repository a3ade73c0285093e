/** Pages by path, with the History API. */
import { legacyPath } from './auth/flow';

class Router {
  #path = $state(location.pathname);

  constructor() {
    this.#followLegacy();
    window.addEventListener('popstate', () => (this.#path = location.pathname));
    window.addEventListener('hashchange', () => this.#followLegacy());
  }

  /** Where the person is. */
  get path(): string {
    return this.#path;
  }

  go(path: string, { replace = false } = {}): void {
    if (path === location.pathname) return;
    if (replace) history.replaceState(null, '', path);
    else history.pushState(null, '', path);
    this.#path = location.pathname;
    window.scrollTo(0, 0);
  }

  /** Takes the query and the fragment out of the address, where they are secret, and gives them back. */
  takeSecrets(): { search: string; hash: string } {
    const { search, hash } = location;
    history.replaceState(null, '', location.pathname);
    return { search, hash };
  }

  /** Follows a link to one of our own pages without loading it anew. */
  follow(event: MouseEvent, isPage: (path: string) => boolean): void {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
      return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (link?.target !== '' || link.origin !== location.origin || link.hasAttribute('download')) return;
    if (!isPage(link.pathname)) return;
    event.preventDefault();
    this.go(link.pathname);
  }

  #followLegacy(): void {
    const path = legacyPath(location.hash);
    if (path !== null) this.go(path, { replace: true });
  }
}

export const router = new Router();
