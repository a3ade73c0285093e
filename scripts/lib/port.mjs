// A port for a server that must know its own address before it starts.
import { once } from "node:events";
import { createServer } from "node:net";

/**
 * A port that nobody listens on at this moment. Somebody else may take it before the caller does.
 *
 * @param {string} host
 * @returns {Promise<number>}
 */
export async function freePort(host) {
  const server = createServer().listen(0, host);
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
