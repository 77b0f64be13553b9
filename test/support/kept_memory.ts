/** How much memory outside of V8's heap, such as buffers, is still referenced. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** The bytes that are left after garbage collection. */
export function keptMemory(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return Deno.memoryUsage().external;
}
