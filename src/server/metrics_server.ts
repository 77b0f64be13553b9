/** Serves the metrics on a listener of their own: not everyone who can open a preview may read them. */
import type { Config } from "../config/config.ts";
import { describeError } from "../lib/describe_error.ts";
import type { Logger } from "../observability/log.ts";
import { CONTENT_TYPE } from "../observability/metrics/exposition.ts";
import { listen, type Listener } from "./http_server.ts";

/** Dependencies of {@linkcode listenForMetrics}. */
export interface MetricsServerOptions {
  /** Renders all metrics in Prometheus' text format. */
  readonly render: () => string | Promise<string>;
  readonly log: Logger;
}

/**
 * Serves `/metrics` if `METRICS_PORT` is set; returns undefined if it is not. If the listener fails later, such as for
 * lack of file descriptors, that is logged, and previews are served on.
 *
 * @throws {Error} If the port is taken.
 */
export function listenForMetrics(
  address: Config["metrics"],
  options: MetricsServerOptions,
): Listener | undefined {
  if (address === undefined) return undefined;
  let listener: Listener;
  try {
    listener = listen((request) => answer(request, options), address);
  } catch (cause) {
    const where = `METRICS_PORT ${address.port} of ${address.hostname}`;
    throw new Error(`Cannot serve metrics on ${where}`, { cause });
  }
  listener.failed.catch((error) =>
    options.log.error("metrics are not served any more", {
      reason: describeError(error),
    })
  );
  return listener;
}

async function answer(
  { method, url }: Request,
  { render, log }: MetricsServerOptions,
): Promise<Response> {
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
}

function emptyResponse(
  status: number,
  headers: Record<string, string> = {},
): Response {
  return new Response(null, {
    status,
    headers: { "cache-control": "no-store", ...headers },
  });
}
