// A bucket that takes its time or takes nothing, for tests and benchmarks: the Worker's own modules behind one that hands them
// another environment, in which a put waits first, or fails.

/** The entry module that does that, of a Worker whose own is `./index.js`. */
export function slowBucket(milliseconds, refuses) {
  return `
import edge, { Relay as Own } from "./index.js";
const wait = async () => {
  await new Promise((resolve) => setTimeout(resolve, ${Number(milliseconds)}));
  ${refuses ? 'throw new Error("the bucket takes nothing");' : ""}
};
const own = (target, name) =>
  typeof target[name] === "function" && name !== "constructor" ? target[name].bind(target) : target[name];
const slow = (bucket) =>
  new Proxy(bucket, {
    get: (target, name) => (name === "put" ? (...put) => wait().then(() => target.put(...put)) : own(target, name)),
  });
const slowly = (env) => new Proxy(env, { get: (target, name) => (name === "RECORDINGS" ? slow(target[name]) : target[name]) });
export class Relay extends Own {
  constructor(state, env) {
    super(state, slowly(env));
  }
}
export { Channel } from "./index.js";
export default edge;
`;
}
