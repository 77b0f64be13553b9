/** Sustained load, and the processor time that it costs its server. */
import { cpuTimeMs } from "./machine.ts";
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

/** A server's utilization: near 100, it was saturated; well below, it was waiting for the load generator. */
export const BUSY = "busy %";

/** Drives a server, and adds the processor time that the work took. */
export async function metered(
  server: Server,
  seconds: number,
  drive: Drive,
): Promise<Reading> {
  const startedAt = performance.now();
  const before = await cpuTimeOf(server);
  const { count, reading } = await drive(server, seconds);
  const after = await cpuTimeOf(server);
  const elapsedMs = performance.now() - startedAt;
  if (before === undefined || after === undefined) return reading;
  const usedMs = after - before;
  return {
    ...reading,
    [CPU]: usedMs * 1000 / count,
    [BUSY]: usedMs / elapsedMs * 100,
  };
}

/** The processor time of all processes of a server so far, ms; undefined if it is not known. */
async function cpuTimeOf(server: Server): Promise<number | undefined> {
  let sum = 0;
  for (const pid of pidsOf(server)) {
    const used = await cpuTimeMs(pid);
    if (used === undefined) return undefined;
    sum += used;
  }
  return sum;
}
