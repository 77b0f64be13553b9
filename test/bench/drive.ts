/** Sustained load, and the processor time that it costs its target. */
import { cpuTimeMs } from "./machine.ts";
import type { Target } from "./target.ts";

/** One round of one contestant: a value for every quantity, undefined if it could not be measured. */
export type Reading = Readonly<Record<string, number | undefined>>;

/** The work done in one round: requests or messages. */
export interface Work {
  readonly count: number;
  /** Further measurements. */
  readonly reading: Reading;
}

/** Puts a target under load. */
export type Drive = (target: Target, seconds: number) => Promise<Work>;

/** The processor time of one request or message, which other processes on the machine do not affect much. */
export const CPU = "CPU µs";

/** A target's utilization: near 100, it was saturated; well below, it was waiting for the load generator. */
const BUSY = "busy %";

/** Drives a target, and adds the processor time that the work took. */
export async function metered(
  target: Target,
  seconds: number,
  drive: Drive,
): Promise<Reading> {
  const startedAt = performance.now();
  const before = await cpuTimeMs(target.pid);
  const { count, reading } = await drive(target, seconds);
  const after = await cpuTimeMs(target.pid);
  const elapsedMs = performance.now() - startedAt;
  if (before === undefined || after === undefined) return reading;
  const usedMs = after - before;
  return {
    ...reading,
    [CPU]: usedMs * 1000 / count,
    [BUSY]: usedMs / elapsedMs * 100,
  };
}
