/** Serves the metrics on a listener of their own: not everyone who can open a preview may read them. */
import type { Config } from "../config/config.ts";
import { describeError } from "../lib/describe_error.ts";
import type { Logger } from "../observability/log.ts";
import { CONTENT_TYPE } from "../observability/metrics/exposition.ts";
import { listen, type Listener } from "./listen.ts";

/** What to serve, and where. */
export interface MetricsServerOptions {
  readonly hostname: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Renders all metrics in Prometheus' text format. */
  readonly render: () => string | Promise<string>;
  readonly log: Logger;
}

function emptyResponse(
  status: number,
  fields: Record<string, string> = {},
): Response {
  return new Response(null, {
    status,
    headers: { "cache-control": "no-store", ...fields },
  });
}

/**
 * Serves `/metrics`.
 *
 * @throws {Deno.errors.AddrInUse} If the port is taken.
 */
export function startMetricsServer(
  { hostname, port, render, log }: MetricsServerOptions,
): Listener {
  return listen(async ({ method, url }) => {
    if (new URL(url).pathname !== "/metrics") return emptyResponse(404);
    if (method !== "GET" && method !== "HEAD") {
      return emptyResponse(405, { allow: "GET, HEAD" });
    }
    try {
      return new Response(await render(), {
        headers: { "cache-control": "no-store", "content-type": CONTENT_TYPE },
      });
    } catch (error) {
      log.warn("metrics not rendered", { reason: describeError(error) });
      return emptyResponse(500);
    }
  }, { hostname, port });
}

/** Dependencies of {@linkcode listenForMetrics}. */
export interface ListenForMetricsOptions {
  readonly render: MetricsServerOptions["render"];
  readonly log: Logger;
  readonly start?: (options: MetricsServerOptions) => Listener;
}

/**
 * Serves the metrics if `METRICS_PORT` is set; returns undefined if it is not. If the listener fails later, such as for
 * lack of file descriptors, that is logged, and previews are served on.
 *
 * @throws {Error} If the port is taken.
 */
export function listenForMetrics(
  { metrics }: Pick<Config, "metrics">,
  { render, log, start = startMetricsServer }: ListenForMetricsOptions,
): Listener | undefined {
  if (metrics === undefined) return undefined;
  try {
    const listener = start({ ...metrics, render, log });
    listener.failed.catch((error) =>
      log.error("metrics are not served any more", {
        reason: describeError(error),
      })
    );
    return listener;
  } catch (cause) {
    const where = `METRICS_PORT ${metrics.port} of ${metrics.hostname}`;
    throw new Error(`Cannot serve metrics on ${where}`, { cause });
  }
}
