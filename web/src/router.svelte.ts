/** Pages by path, with the History API. */

export type Page =
  | { name: 'sign-in' }
  | { name: 'sign-up' }
  | { name: 'machines' }
  | { name: 'machine'; agentId: string }
  | { name: 'terminal' }
  | { name: 'running' }
  | { name: 'reference' }
  | { name: 'missing' };

export function pageOf(path: string): Page {
  const parts = path.split('/').filter((part) => part !== '');
  switch (parts.join('/')) {
    case '':
    case 'machines':
      return { name: 'machines' };
    case 'sign-in':
      return { name: 'sign-in' };
    case 'sign-up':
      return { name: 'sign-up' };
    case 'terminal':
      return { name: 'terminal' };
    case 'running':
      return { name: 'running' };
    case 'docs/api':
      return { name: 'reference' };
  }
  const [first, agentId, ...rest] = parts;
  if (first === 'machines' && agentId !== undefined && rest.length === 0) return { name: 'machine', agentId };
  return { name: 'missing' };
}

class Router {
  #path = $state(location.pathname);

  constructor() {
    window.addEventListener('popstate', () => (this.#path = location.pathname));
    document.addEventListener('click', (event) => this.#follow(event));
  }

  get page(): Page {
    return pageOf(this.#path);
  }

  go(path: string, { replace = false } = {}): void {
    if (path === location.pathname) return;
    if (replace) history.replaceState(null, '', path);
    else history.pushState(null, '', path);
    this.#path = location.pathname;
    window.scrollTo(0, 0);
  }

  /** Follows links to our own pages without loading them anew. */
  #follow(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!link || link.target !== '' || link.origin !== location.origin || link.hasAttribute('download')) return;
    if (pageOf(link.pathname).name === 'missing') return;
    event.preventDefault();
    this.go(link.pathname);
  }
}

export const router = new Router();
