/** The load: Debian's `wrk`, which takes a fraction of what the proxies take for the same number of requests. */

/** What one round of load saw. */
export interface LoadReport {
  readonly requests: number;
  readonly requestsPerSec: number;
  /** The time that 99 of 100 requests took at most, in milliseconds. */
  readonly p99Ms: number;
}

/** One round of load. */
export interface LoadOptions {
  /** On 127.0.0.1. */
  readonly port: number;
  /** Fields of the requests; `wrk` adds a Host of its own unless there is one spelled like that. */
  readonly headers: Readonly<Record<string, string>>;
  /** `/` unless given. */
  readonly path?: string | undefined;
  readonly connections: number;
  readonly seconds: number;
  /** A file in Lua that makes the requests, as the manual of `wrk` describes. */
  readonly script?: string | undefined;
}

/**
 * Sends GET requests as fast as they are answered.
 *
 * @throws {Error} As {@linkcode parseReport}.
 */
export async function load(options: LoadOptions): Promise<LoadReport> {
  const { port, headers, path = "/", connections, seconds, script } = options;
  const { stdout } = await new Deno.Command("wrk", {
    args: [
      // On a busy machine an answer may take longer than the two seconds after which wrk counts it as failed.
      ...["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "10s"],
      "--latency",
      ...Object.entries(headers).flatMap(([name, value]) => [
        "-H",
        `${name}: ${value}`,
      ]),
      ...script === undefined ? [] : ["-s", script],
      `http://127.0.0.1:${port}${path}`,
    ],
    stderr: "inherit",
  }).output();
  return parseReport(new TextDecoder().decode(stdout));
}

const MS: Readonly<Record<string, number>> = {
  us: 1e-3,
  ms: 1,
  s: 1e3,
  m: 6e4,
};

/**
 * Reads the report of `wrk --latency`.
 *
 * @throws {Error} If it has no rate or tells of failures: such a round would compare errors with answers.
 */
export function parseReport(report: string): LoadReport {
  const failures = /^ *(?:Socket errors|Non-2xx or 3xx responses): .*$/m
    .exec(report);
  if (failures !== null) throw new Error(`Load failed: ${failures[0].trim()}`);
  const requests = /^ *(\d+) requests in /m.exec(report)?.[1];
  const rate = /^Requests\/sec: +([\d.]+)$/m.exec(report)?.[1];
  const [, p99, unit = ""] = /^ +99% +([\d.]+)([a-z]+) *$/m.exec(report) ?? [];
  if (requests === undefined || rate === undefined || p99 === undefined) {
    throw new Error(`Not a report of wrk: ${report}`);
  }
  return {
    requests: Number(requests),
    requestsPerSec: Number(rate),
    p99Ms: Number(p99) * (MS[unit] ?? NaN),
  };
}
