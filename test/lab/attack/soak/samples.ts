/** Made-up samples for the tests of what a soak concludes from them. */
import { MIB } from "../attack.ts";
import type { Sample } from "./sample.ts";

/** A sample of an idle gateway with this resident memory. */
export function sample(atSec: number, residentMib: number): Sample {
  return {
    atSec,
    residentBytes: residentMib * MIB,
    heapUsedBytes: 0,
    descriptors: 30,
    threads: 7,
    inFlight: 0,
    tunnels: 0,
    idleConnections: 0,
    activeConnections: 0,
    cpuSec: 0,
    healthMs: 1,
    sleeps: 0,
  };
}

/** Ten minutes of samples with the given resident memory. */
export function series(residentMib: (atSec: number) => number): Sample[] {
  return Array.from(
    { length: 120 },
    (_, i) => sample(5 * i, residentMib(5 * i)),
  );
}
