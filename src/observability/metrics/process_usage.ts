/** Resource usage of the process. */
import process from "node:process";

/** What the process uses of the machine's resources. */
export interface ProcessUsage {
  /** User and system time, seconds. */
  readonly cpuSeconds: number;
  /** Seconds since the epoch. */
  readonly startedAtSec: number;
  readonly residentBytes: number;
  readonly heapBytes: number;
  readonly heapUsedBytes: number;
  readonly externalBytes: number;
}

/** Reads the usage, with system calls that take microseconds and need no permission. */
export function processUsage(): ProcessUsage {
  const { user, system } = process.cpuUsage();
  const { rss, heapTotal, heapUsed, external } = Deno.memoryUsage();
  return {
    cpuSeconds: (user + system) / 1e6,
    startedAtSec: performance.timeOrigin / 1000,
    residentBytes: rss,
    heapBytes: heapTotal,
    heapUsedBytes: heapUsed,
    externalBytes: external,
  };
}
