/** Sustained load, and the processor time that it costs its server. */
import { type Usage, usageOf } from "./machine.ts";
import { pidsOf, type Server } from "./server.ts";

/** One round of one contestant: a value for every quantity, undefined if it could not be measured. */
export type Reading = Readonly<Record<string, number | undefined>>;

/** The work done in one round: requests or messages. */
export interface Work {
  readonly count: number;
  /** Further measurements. */
  readonly reading: Reading;
}

/** Puts a server under load. */
export type Drive = (server: Server, seconds: number) => Promise<Work>;

/** The processor time of one request or message, which other processes on the machine do not affect much. */
export const CPU = "CPU µs";

/**
 * The pages of memory that a request or message takes afresh. Large bodies and uploads cost little else than these on some
 * machines, and on others they are cheap, so that a rate alone does not tell what has changed.
 */
export const FAULTS = "page faults";

/** A server's utilization: near 100, it was saturated; well below, it was waiting for the load generator. */
export const BUSY = "busy %";

/** Drives a server, and adds the processor time and the memory that the work took. */
export async function metered(
  server: Server,
  seconds: number,
  drive: Drive,
): Promise<Reading> {
  const startedAt = performance.now();
  const before = await usageOfAll(server);
  const { count, reading } = await drive(server, seconds);
  const after = await usageOfAll(server);
  const elapsedMs = performance.now() - startedAt;
  if (before === undefined || after === undefined) return reading;
  const usedMs = after.cpuMs - before.cpuMs;
  return {
    ...reading,
    [CPU]: usedMs * 1000 / count,
    [BUSY]: usedMs / elapsedMs * 100,
    [FAULTS]: (after.faults - before.faults) / count,
  };
}

/** What all processes of a server have used so far; undefined if it is not known. */
async function usageOfAll(server: Server): Promise<Usage | undefined> {
  let [cpuMs, faults] = [0, 0];
  for (const pid of pidsOf(server)) {
    const used = await usageOf(pid);
    if (used === undefined) return undefined;
    cpuMs += used.cpuMs;
    faults += used.faults;
  }
  return { cpuMs, faults };
}
