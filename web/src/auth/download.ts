/** Files that the API makes. A link cannot say that the console asks, so the bytes come through the page. */
import { CONSOLE } from '../api/client';
import { errorFrom, unreachable } from '../api/error';
import { saveBlob } from '../ui/save';

/** Fetches a file and offers it under the name that the answer gives it, or else `name`. */
export async function download(path: string, name: string): Promise<void> {
  const response = await fetch(path, { headers: CONSOLE }).catch(() => {
    throw unreachable();
  });
  if (!response.ok) throw errorFrom(response.status, await response.json().catch(() => null));
  const given = /filename="([^"]+)"/.exec(response.headers.get('Content-Disposition') ?? '')?.[1];
  saveBlob(given ?? name, await response.blob());
}
