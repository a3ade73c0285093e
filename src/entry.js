// What the runtime calls: the functions of the compiled Worker, in an instance of it that is sound. One that has trapped is
// replaced by a new one, and with it every object there; the requests that it was serving are lost. scripts/build.sh puts this
// before what scripts/glue writes.
import { WorkerEntrypoint } from "cloudflare:workers";
import * as compiled from "./index.js";

/** Of the crate `worker`: `criticalError` is set where Rust has panicked, and each instance has another `instanceId`. */
const state = compiled.__worker_init_state();

/** The code of a socket that ended without one. */
const LOST = 1006;

/** As many calls of a stack as one wants to see of an error in Rust. */
Error.stackTraceLimit = 100;

// Where nobody waits for it, an error is seen here alone.
addEventListener("error", (event) => mark(event.error));

function mark(error) {
  if (!(error instanceof WebAssembly.RuntimeError)) return;
  const message = `the Worker has trapped: ${error.stack ?? error}`;
  console.error(JSON.stringify({ level: "error", time: new Date().toISOString(), message }));
  state.criticalError = true;
}

/** What the call answers, in an instance that is sound. */
function sound(call) {
  if (state.criticalError) {
    const message = "the Worker goes on with a new instance";
    console.log(JSON.stringify({ level: "info", time: new Date().toISOString(), message }));
    compiled.__wbg_reset_state();
    state.criticalError = false;
  }
  try {
    return call();
  } catch (error) {
    mark(error);
    throw error;
  }
}

export default class extends WorkerEntrypoint {
  fetch(request) {
    return sound(() => compiled.fetch(request, this.env, this.ctx));
  }

  scheduled(event) {
    return sound(() => compiled.scheduled(event, this.env, this.ctx));
  }
}

/** A class of Durable Objects. The object in Rust is made anew when its instance is another one. */
function durable(Compiled) {
  return class Durable {
    #given;
    #object;
    #instance;

    constructor(...given) {
      this.#given = given;
      sound(() => this.#current());
    }

    #current() {
      if (this.#instance !== state.instanceId) {
        this.#object = new Compiled(...this.#given);
        this.#instance = state.instanceId;
      }
      return this.#object;
    }

    static {
      for (const name of Object.getOwnPropertyNames(Compiled.prototype)) {
        if (name === "constructor") continue;
        Durable.prototype[name] = function (...given) {
          return sound(() => this.#current()[name](...given));
        };
      }
    }
  };
}

/** The relay of a machine. A message of a socket that leaves nothing to wait for is answered without a promise. */
export class Relay extends durable(compiled.Relay) {
  #state;
  #numbers = new WeakMap();

  constructor(state, env) {
    super(state, env);
    this.#state = state;
  }

  webSocketMessage(socket, message) {
    const number = this.#number(socket);
    if (number === undefined) return;
    const waits = typeof message === "string" ? this.hearText(number, message) : this.hearBytes(number, message);
    if (waits) return this.goOn();
  }

  async webSocketClose(socket, code) {
    await this.#end(socket, code);
    try {
      // Completes the closing handshake. The code is ours: not every code that comes may be sent.
      socket.close(1000, "");
    } catch {
      // The platform has done so.
    }
  }

  webSocketError(socket) {
    return this.#end(socket, LOST);
  }

  #end(socket, code) {
    const number = this.#number(socket);
    if (number !== undefined && this.hearEnd(number, code)) return this.goOn();
  }

  /** The one tag of a socket, asked for once: to ask costs more than to look. */
  #number(socket) {
    let number = this.#numbers.get(socket);
    if (number === undefined) {
      const [tag] = this.#state.getTags(socket);
      if (tag === undefined) return;
      number = Number(tag);
      this.#numbers.set(socket, number);
    }
    return number;
  }
}

/** The live channel of an organization. */
export const Channel = durable(compiled.Channel);
