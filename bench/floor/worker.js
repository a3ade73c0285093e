// The floor under the product: the same runtime doing as little as it can. It is JavaScript, the runtime's own language,
// which spares it the way in and out of WebAssembly: what is compared with it is compared with the best there is.
import { DurableObject } from "cloudflare:workers";

const OTHER = { left: "right", right: "left" };

/**
 * Passes messages on without looking at them: between a left and a right socket, or back to a socket that is neither. Its
 * sockets hibernate, as the product's do.
 */
export class Pipe extends DurableObject {
  /** The socket each message of a socket goes to. */
  #to = new Map();

  constructor(ctx, env) {
    super(ctx, env);
    this.#join();
  }

  fetch(request) {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server, [new URL(request.url).searchParams.get("side") ?? "echo"]);
    this.#join();
    return new Response(null, { status: 101, webSocket: client });
  }

  webSocketMessage(socket, message) {
    this.#to.get(socket)?.send(message);
  }

  webSocketClose(socket) {
    socket.close(1000);
    this.#to.clear();
  }

  #join() {
    for (const socket of this.ctx.getWebSockets()) {
      const [side] = this.ctx.getTags(socket);
      this.#to.set(socket, side in OTHER ? this.ctx.getWebSockets(OTHER[side])[0] : socket);
    }
  }
}

/** Chunks that are on their way to the bucket at once, as many as a recorder's. */
const AT_ONCE = 8;

async function putAll(bucket, chunks, body) {
  let next = 0;
  const some = async () => {
    while (next < chunks) await bucket.put(`chunk-${next++}`, body);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, some));
}

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    if (url.pathname === "/pipe") return env.PIPE.getByName(url.searchParams.get("name")).fetch(request);
    if (url.pathname === "/machines") {
      const { results } = await env.DB.prepare("SELECT * FROM machines ORDER BY name").all();
      return Response.json(results);
    }
    if (url.pathname === "/machine") {
      const query = env.DB.prepare("SELECT * FROM machines WHERE id = ?1").bind("019900000000000000000000");
      return Response.json(await query.first());
    }
    if (url.pathname === "/put") {
      const [chunks, bytes] = ["chunks", "bytes"].map((name) => Number(url.searchParams.get(name)));
      await putAll(env.BUCKET, chunks, new Uint8Array(bytes).fill(0x61));
      return Response.json({ put: chunks });
    }
    return Response.json({ status: "ok" });
  },
};
