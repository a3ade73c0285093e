/** Pages by path, with the History API. */
import { legacyPath } from './auth/flow';
import { keepPlaces, leavePlace } from './scroll';

class Router {
  #path = $state(location.pathname);
  #query = $state(location.search);

  constructor() {
    this.#followLegacy();
    window.addEventListener('popstate', () => this.#arrived());
    keepPlaces();
    window.addEventListener('hashchange', () => this.#followLegacy());
  }

  /** Where the person is. */
  get path(): string {
    return this.#path;
  }

  /** What the address says besides, as the page that is there means it. */
  get query(): string {
    return this.#query;
  }

  /** Says something else of the same page in the address. */
  set query(query: string) {
    history.replaceState(history.state, '', `${location.pathname}${query === '' ? '' : `?${query}`}`);
    this.#query = location.search;
  }

  go(path: string, { replace = false } = {}): void {
    if (path === `${location.pathname}${location.search}`) return;
    leavePlace();
    if (replace) history.replaceState(null, '', path);
    else history.pushState(null, '', path);
    this.#arrived();
    window.scrollTo(0, 0);
  }

  #arrived(): void {
    this.#path = location.pathname;
    this.#query = location.search;
  }

  /** Takes the query and the fragment out of the address, where they are secret, and gives them back. */
  takeSecrets(): { search: string; hash: string } {
    const { search, hash } = location;
    history.replaceState(null, '', location.pathname);
    this.#query = '';
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
    this.go(`${link.pathname}${link.search}`);
  }

  #followLegacy(): void {
    const path = legacyPath(location.hash);
    if (path !== null) this.go(path, { replace: true });
  }
}

export const router = new Router();
