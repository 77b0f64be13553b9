/** Memory that is still referenced. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

/** The bytes outside of V8's heap, such as buffers, that are left after a garbage collection, and those within it. */
export function keptMemory(): { external: number; heapUsed: number } {
  collectGarbage();
  return Deno.memoryUsage();
}
