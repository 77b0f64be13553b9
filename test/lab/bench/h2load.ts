/** The load generator for TLS: `h2load` of nghttp2, which speaks HTTP/1.1 and HTTP/2. */
import { quantile } from "../../support/quantile.ts";
import { HOSTS } from "./contestants.ts";
import type { LoadReport } from "./wrk.ts";

/** One round of load by TLS; no certificate is verified. */
export interface TlsLoad {
  readonly protocol: "http/1.1" | "h2";
  readonly path: string;
  readonly connections: number;
  /** Requests that are under way on each connection; over HTTP/1.1, 1. */
  readonly streams: number;
}

/**
 * Sends GET requests for the public sandbox to a port of 127.0.0.1 as fast as they are answered.
 *
 * @throws {Error} as {@linkcode parseReport} does.
 */
export async function loadByTls(
  port: number,
  seconds: number,
  { protocol, path, connections, streams }: TlsLoad,
): Promise<LoadReport> {
  const log = await Deno.makeTempFile({ prefix: "porthole-bench-" });
  try {
    const { stdout } = await new Deno.Command("h2load", {
      args: [
        ...protocol === "http/1.1" ? ["--h1"] : [],
        ...[`--duration=${seconds * 1000}ms`, `--log-file=${log}`],
        ...[`--clients=${connections}`, `--max-concurrent-streams=${streams}`],
        `--connect-to=127.0.0.1:${port}`,
        `https://${HOSTS.public}:${port}${path}`,
      ],
      stderr: "inherit",
    }).output();
    return parseReport(
      new TextDecoder().decode(stdout),
      await Deno.readTextFile(log),
    );
  } finally {
    await Deno.remove(log);
  }
}

/**
 * Reads the report of `h2load`, and the log of its requests, in which the third column is how long each took, µs.
 *
 * @throws {Error} if it has no rate, or reports failures: the round would compare errors with responses.
 */
export function parseReport(report: string, log: string): LoadReport {
  const rate = /^finished in .*?, ([\d.]+) req\/s/m.exec(report)?.[1];
  const [, requests, failed, errored, timeout] =
    /, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/
      .exec(report) ?? [];
  if (rate === undefined || requests === undefined || Number(rate) === 0) {
    throw new Error(`Not a report of h2load: ${report}`);
  }
  if (Number(failed) + Number(errored) + Number(timeout) > 0) {
    throw new Error(
      `Load failed: ${failed} failed, ${errored} errored, ${timeout} timeout`,
    );
  }
  const micros = log.trimEnd().split("\n")
    .map((line) => Number(line.split("\t")[2]));
  return {
    requests: Number(requests),
    requestsPerSec: Number(rate),
    p99Ms: quantile(micros, 0.99) / 1000,
  };
}
