/** Where on a page the person was, for each entry of the history: on Back it is there again, once the page has its data. */

/** How long scrolling rests before its place is remembered, in milliseconds: browsers refuse to be told more often. */
const REST = 150;

/** How long a page may take to become as long as it was, in milliseconds; afterwards the person has begun to read. */
const PATIENCE = 5_000;

let giveUp: () => void = () => {};

/** Remembers the place of the present entry from here on, and goes there on Back, Forward and reload. */
export function keepPlaces(): void {
  history.scrollRestoration = 'manual';
  let timer: ReturnType<typeof setTimeout> | undefined;
  window.addEventListener('scroll', () => {
    clearTimeout(timer);
    timer = setTimeout(remember, REST);
  });
  window.addEventListener('pagehide', remember);
  window.addEventListener('popstate', () => {
    clearTimeout(timer);
    returnTo(placeOf(history.state));
  });
  returnTo(placeOf(history.state));
}

/** The person leaves for another page: its entry keeps the place, and the other begins at the top. */
export function leavePlace(): void {
  giveUp();
  remember();
}

function remember(): void {
  history.replaceState({ ...(history.state as object | null), scroll: window.scrollY }, '');
}

function placeOf(state: unknown): number {
  const scroll: unknown = typeof state === 'object' && state !== null && 'scroll' in state ? state.scroll : 0;
  return typeof scroll === 'number' ? scroll : 0;
}

function returnTo(place: number): void {
  giveUp();
  const page = document.documentElement;
  const arrived = (): boolean => {
    if (page.scrollHeight - window.innerHeight < place) return false;
    window.scrollTo(0, place);
    return true;
  };
  const stop = new AbortController();
  const observer = new ResizeObserver(() => arrived() && giveUp());
  const timer = setTimeout(() => giveUp(), PATIENCE);
  giveUp = () => {
    stop.abort();
    observer.disconnect();
    clearTimeout(timer);
    giveUp = () => {};
  };
  // Whoever scrolls knows better.
  for (const event of ['wheel', 'touchstart', 'keydown', 'pointerdown'])
    window.addEventListener(event, () => giveUp(), { signal: stop.signal, passive: true });
  observer.observe(document.body);
}
