/** The load: Debian's `wrk`, which takes a fraction of what the proxies take for the same number of requests. */

/** What one round of load saw. */
export interface LoadReport {
  readonly requests: number;
  readonly requestsPerSec: number;
}

/** One round of load. */
export interface LoadOptions {
  /** On 127.0.0.1. */
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly connections: number;
  readonly seconds: number;
}

/**
 * Sends GET requests as fast as they are answered.
 *
 * @throws {Error} As {@linkcode parseReport}.
 */
export async function load(options: LoadOptions): Promise<LoadReport> {
  const { port, headers, connections, seconds } = options;
  const { stdout } = await new Deno.Command("wrk", {
    args: [
      // On a busy machine an answer may take longer than the two seconds after which wrk counts it as failed.
      ...["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "10s"],
      ...Object.entries(headers).flatMap(([name, value]) => [
        "-H",
        `${name}: ${value}`,
      ]),
      `http://127.0.0.1:${port}/`,
    ],
    stderr: "inherit",
  }).output();
  return parseReport(new TextDecoder().decode(stdout));
}

/**
 * Reads the report of `wrk`.
 *
 * @throws {Error} If it has no rate or tells of failures: such a round would compare errors with answers.
 */
export function parseReport(report: string): LoadReport {
  const failures = /^ *(?:Socket errors|Non-2xx or 3xx responses): .*$/m
    .exec(report);
  if (failures !== null) throw new Error(`Load failed: ${failures[0].trim()}`);
  const requests = /^ *(\d+) requests in /m.exec(report)?.[1];
  const rate = /^Requests\/sec: +([\d.]+)$/m.exec(report)?.[1];
  if (requests === undefined || rate === undefined) {
    throw new Error(`Not a report of wrk: ${report}`);
  }
  return { requests: Number(requests), requestsPerSec: Number(rate) };
}
