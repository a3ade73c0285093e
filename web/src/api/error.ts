/** A request that failed, ready to be shown. */

export class ApiError extends Error {
  override name = 'ApiError';

  constructor(
    /** For people. */
    message: string,
    /** The HTTP status; 0 when no answer came. */
    readonly status: number,
    /** What is wrong with each field, by the field's name. */
    readonly fields: Readonly<Record<string, string>> = {},
    /** For programs; empty when the answer has none. */
    readonly code = '',
  ) {
    super(message);
  }
}

/** No answer: the network, or the server is not there. */
export function unreachable(): ApiError {
  return new ApiError('The server cannot be reached. Check your connection.', 0);
}

/** The failure that an answer describes, whatever its body is. */
export function errorFrom(status: number, body: unknown): ApiError {
  const record = isRecord(body) ? body : {};
  const fallback = status >= 500 ? 'Something went wrong on the server.' : `The server refused this (${status}).`;
  const message = typeof record.error === 'string' && record.error !== '' ? record.error : fallback;
  const entries = Array.isArray(record.fields) ? record.fields.filter(isRecord) : [];
  const fields = entries.map(({ field, message: text }) => [String(field), sentence(String(text))] as const);
  return new ApiError(
    sentence(message),
    status,
    Object.fromEntries(fields),
    typeof record.code === 'string' ? record.code : '',
  );
}

/** Any thrown value in words. */
export function inWords(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** With a capital and a full stop, as errors stand alone on a page. */
function sentence(text: string): string {
  const trimmed = text.trim();
  return trimmed.charAt(0).toUpperCase() + trimmed.slice(1) + (/[.!?…]$/.test(trimmed) ? '' : '.');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
