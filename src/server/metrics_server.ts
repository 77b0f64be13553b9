/** Serves the metrics, and pages beside them, on a listener of their own: not everyone who can open a preview may read them. */
import type { Config } from "../config/config.ts";
import { listen, type Listener } from "../downstream/http/listen.ts";
import { describeError } from "../lib/describe_error.ts";
import type { Logger } from "../observability/log.ts";
import { CONTENT_TYPE } from "../observability/metrics/exposition.ts";
import { withLastResort } from "./last_resort.ts";

const NOT_STORED = { "cache-control": "no-store" };

interface MetricsServerOptions {
  readonly render: () => string;
  /** Pages beside `/metrics`, by path. */
  readonly pages: Readonly<Record<string, (request: Request) => Response>>;
  readonly log: Logger;
}

/**
 * Serves `/metrics` and the pages beside it if `METRICS_PORT` is set; returns undefined if it is not. If the listener fails
 * later, that is logged, and previews are served on.
 * @throws {Error} If the port is taken.
 */
export function listenForMetrics(
  address: Config["metrics"],
  options: MetricsServerOptions,
): Listener | undefined {
  if (address === undefined) return undefined;
  const handler = withLastResort((request) => answer(request, options));
  let listener: Listener;
  try {
    listener = listen(handler, address);
  } catch (cause) {
    const where = `METRICS_PORT ${address.port} of ${address.hostname}`;
    throw new Error(`Cannot serve metrics on ${where}`, { cause });
  }
  listener.failed.catch((error) => {
    const reason = describeError(error);
    options.log.error("metrics are not served any more", { reason });
  });
  return listener;
}

function answer(request: Request, options: MetricsServerOptions): Response {
  const { pathname } = new URL(request.url);
  const page = pathname === "/metrics"
    ? () => metrics(options)
    : options.pages[pathname];
  if (page === undefined) return emptyResponse(404);
  const { method } = request;
  if (method !== "GET" && method !== "HEAD") {
    return emptyResponse(405, { allow: "GET, HEAD" });
  }
  return page(request);
}

function metrics({ render, log }: MetricsServerOptions): Response {
  try {
    const headers = { ...NOT_STORED, "content-type": CONTENT_TYPE };
    return new Response(render(), { headers });
  } catch (error) {
    log.warn("metrics not rendered", { reason: describeError(error) });
    return emptyResponse(500);
  }
}

function emptyResponse(status: number, others?: { allow: string }): Response {
  return new Response(null, { status, headers: { ...NOT_STORED, ...others } });
}
