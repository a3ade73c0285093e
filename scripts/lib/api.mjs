// Calls of the REST API.

/** What the API answered instead of what was asked for. */
export class Refused extends Error {
  constructor(method, route, status, body) {
    super(`${method} ${route} answered ${status}: ${body.error?.message ?? body.error ?? "no reason given"}`);
    this.status = status;
  }
}

/**
 * @param {string} url the edge's address
 * @param {string} method
 * @param {string} route
 * @param {{ token?: string, body?: unknown }} options
 * @returns {Promise<any>} the answer's JSON; throws {@link Refused} if it is an error
 */
export async function call(url, method, route, { token, body } = {}) {
  const response = await fetch(url + route, {
    method,
    headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  const answer = parse(text);
  if (!response.ok) throw new Refused(method, route, response.status, answer);
  return answer;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return { error: text.slice(0, 200) };
  }
}
