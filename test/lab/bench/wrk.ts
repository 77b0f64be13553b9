/** The load generator: `wrk`, which needs a fraction of the proxies' processor time for the same number of requests. */

/** The results of one round of load. */
export interface LoadReport {
  readonly requests: number;
  readonly requestsPerSec: number;
  /** The 99th percentile of latency, in milliseconds. */
  readonly p99Ms: number;
}

/** One round of load. */
export interface LoadOptions {
  /** On 127.0.0.1. */
  readonly port: number;
  /** "http" by default; no certificate is verified. */
  readonly scheme?: "http" | "https" | undefined;
  /** Headers of the requests; `wrk` adds its own Host unless there is one with that spelling. */
  readonly headers: Readonly<Record<string, string>>;
  /** `/` by default. */
  readonly path?: string | undefined;
  readonly connections: number;
  readonly seconds: number;
  /** A Lua script that generates the requests, as described in the manual of `wrk`. */
  readonly script?: string | undefined;
  /** The arguments of that script. */
  readonly args?: readonly string[] | undefined;
}

/**
 * Sends requests as fast as they are answered: GET unless a script says otherwise.
 *
 * @throws {Error} as {@linkcode parseReport} does.
 */
export async function load(options: LoadOptions): Promise<LoadReport> {
  const { port, scheme = "http", headers, path = "/" } = options;
  const { connections, seconds, script, args = [] } = options;
  const { stdout } = await new Deno.Command("wrk", {
    args: [
      // On a busy machine, a response may take longer than the two seconds after which wrk counts a failure.
      ...["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "10s"],
      "--latency",
      ...Object.entries(headers).flatMap(([name, value]) => [
        "-H",
        `${name}: ${value}`,
      ]),
      ...script === undefined ? [] : ["-s", script],
      `${scheme}://127.0.0.1:${port}${path}`,
      ...args.length === 0 ? [] : ["--", ...args],
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
 * @throws {Error} if it has no rate, or reports failures: the round would compare errors with responses.
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
