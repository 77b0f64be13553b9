/** Load that goes on for a while, and what it costs the one who bears it. */
import { cpuTimeMs } from "./machine.ts";
import { CPU, type Reading } from "./scenario.ts";
import type { Target } from "./target.ts";

/** What was done in one round: requests or messages. */
export interface Work {
  readonly count: number;
  /** Values to go with it. */
  readonly reading: Reading;
}

/** Puts a target under load. */
export type Drive = (target: Target, seconds: number) => Promise<Work>;

/** A target's load: near 100, it could do no more; far from it, it waited for the load's side. */
const BUSY = "busy %";

/** Drives a target and adds what the work took of its processor. */
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
