// What the runtime calls: the functions of the compiled Worker, in an instance of it that is sound. One that has trapped is
// replaced by a new one, and with it every object there; the requests that it was serving are lost. scripts/build.sh puts this
// before what scripts/glue writes.
import { WorkerEntrypoint } from "cloudflare:workers";
import * as compiled from "./index.js";

/** Of the crate `worker`: `criticalError` is set where Rust has panicked, and each instance has another `instanceId`. */
const state = compiled.__worker_init_state();

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

/** The relay of a machine. */
export const Relay = durable(compiled.Relay);

/** The live channel of an organization. */
export const Channel = durable(compiled.Channel);
