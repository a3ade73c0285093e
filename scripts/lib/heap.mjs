// What the Worker and its Durable Objects, which share an instance here, hold in memory, for the benchmarks.

/** Asks the inspector of a Worker. */
export class Heap {
  #socket;
  #waiting = new Map();
  #last = 0;
  #context;

  /**
   * @param {URL} inspector where Miniflare's inspector listens
   * @param {string} name the Worker's
   */
  static async open(inspector, name) {
    const heap = new Heap();
    const socket = new WebSocket(new URL(`/core:user:${name}`, inspector));
    socket.onmessage = ({ data }) => {
      const { id, result, method, params } = JSON.parse(data);
      if (method === "Runtime.executionContextCreated") heap.#context = params.context.id;
      heap.#waiting.get(id)?.(result);
      heap.#waiting.delete(id);
    };
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => reject(new Error("the inspector does not answer"));
    });
    heap.#socket = socket;
    await heap.#ask("Runtime.enable");
    return heap;
  }

  #ask(method, params = {}) {
    const id = ++this.#last;
    this.#socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  /** The bytes of JavaScript's objects and of its buffers, with what is garbage and not collected. */
  async bytes() {
    const { usedSize, backingStorageSize } = await this.#ask("Runtime.getHeapUsage");
    return usedSize + backingStorageSize;
  }

  /** The bytes of WebAssembly's memory, which does not shrink. Collects garbage. */
  async linearBytes() {
    const kind = { expression: "WebAssembly.Memory.prototype", contextId: this.#context };
    const { result: prototype } = await this.#ask("Runtime.evaluate", kind);
    const { objects } = await this.#ask("Runtime.queryObjects", { prototypeObjectId: prototype.objectId });
    const functionDeclaration = "function () { return this.reduce((sum, { buffer }) => sum + buffer.byteLength, 0); }";
    const { result } = await this.#ask("Runtime.callFunctionOn", { functionDeclaration, objectId: objects.objectId });
    return result.value;
  }
}
