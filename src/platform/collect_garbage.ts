/**
 * Deno 2.9.6 leaves it to V8 when garbage is collected, and V8 does not see what its objects hold elsewhere: of TLS
 * connections that break off amid their handshake, 3,000 a second, 290 MiB pile up, of which V8 sees 90.
 *
 * Instead, it is asked to collect: `gc` is in contexts that are made once a flag of V8's is set. It takes 20 to 80 ms.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Returns what collects all garbage; undefined if the runtime has no such thing. */
export function garbageCollector(): (() => void) | undefined {
  try {
    setFlagsFromString("--expose-gc");
    const gc: unknown = runInNewContext("gc");
    return typeof gc === "function" ? () => gc() : undefined;
  } catch {
    return undefined; // Deno Deploy, where memory is not ours to watch
  }
}
