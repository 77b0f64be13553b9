/** Requests per second, measured by `wrk`: the same GETs for several contestants, or different GETs for one. */
import type { Work } from "../drive.ts";
import { measureRounds } from "../rounds.ts";
import type { Row } from "../scenario.ts";
import type { Server } from "../server.ts";
import type { Contestant, World } from "../world.ts";
import { load } from "../wrk.ts";

/** Requests per second. */
export const RATE = "requests/s";
/** The 99th percentile of latency. */
export const P99 = "p99 ms";

const CONNECTIONS = 64;

/** Headers of a request. */
export type RequestHeaders = Readonly<Record<string, string>>;

/** The requests of a round: GETs unless a script says otherwise. */
export interface GetLoad {
  readonly headers: RequestHeaders;
  readonly path?: string;
  /** "http" by default. */
  readonly scheme?: "http" | "https";
  /** 64 by default. */
  readonly connections?: number;
  /** See {@linkcode load}. */
  readonly script?: string;
  readonly args?: readonly string[];
}

/** Sends GETs for a while. */
export async function driveGets(
  { port }: Server,
  seconds: number,
  { headers, path, scheme, connections = CONNECTIONS, script, args }: GetLoad,
): Promise<Work> {
  const report = await load({
    port,
    headers,
    path,
    scheme,
    connections,
    seconds,
    script,
    args,
  });
  return {
    count: report.requests,
    reading: { [RATE]: report.requestsPerSec, [P99]: report.p99Ms },
  };
}

/** A row of a comparison: a contestant and its requests. */
export interface Requested {
  readonly name: string;
  readonly contestant: Contestant;
  readonly load: GetLoad;
}

/** Measures every row by its requests: see {@linkcode measureRounds}. */
export function compare(
  world: World,
  requested: readonly Requested[],
  rounds?: number,
): Promise<Row[]> {
  const entrants = requested.map(({ load, ...entrant }) => ({
    ...entrant,
    drive: (server: Server, seconds: number) =>
      driveGets(server, seconds, load),
  }));
  return measureRounds(world, entrants, rounds);
}
