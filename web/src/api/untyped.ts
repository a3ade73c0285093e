/** Requests to operations that the API document does not have yet. The same client, without its types. */
import { client } from './client';

interface Outcome<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

interface Untyped {
  POST<T>(path: string, options?: { body?: unknown; signal?: AbortSignal }): Promise<Outcome<T>>;
}

export const untyped = client as unknown as Untyped;
