/**
 * Serves the metrics and the status page on a listener of their own: not everyone who can open a preview may read them.
 */
import type { Config } from "../config/config.ts";
import { listen, type Listener } from "../downstream/http/listen.ts";
import { describeError } from "../lib/describe_error.ts";
import type { Logger } from "../observability/log.ts";
import { CONTENT_TYPE } from "../observability/metrics/exposition.ts";
import { statusPage } from "../pages/status_page.ts";
import { withLastResort } from "./last_resort.ts";
import { StatusBoard, type StatusBoardOptions } from "./status/board.ts";
import { isPrivateName } from "./status/private_name.ts";

/** Dependencies of {@linkcode listenForMetrics}. */
interface MetricsServerOptions extends StatusBoardOptions {
  readonly log: Logger;
}

/** The parts that requests are answered by. */
interface Parts extends MetricsServerOptions {
  readonly hostname: string;
  /** Undefined if there is no status page. */
  readonly board: StatusBoard | undefined;
}

/**
 * Serves `/metrics` and the status page if `METRICS_PORT` is set; returns undefined if it is not. If the listener fails
 * later, such as for lack of file descriptors, that is logged, and previews are served on.
 *
 * @throws {Error} If the port is taken.
 */
export function listenForMetrics(
  address: Config["metrics"],
  options: MetricsServerOptions,
): Listener | undefined {
  if (address === undefined) return undefined;
  const board = address.statusPage ? new StatusBoard(options) : undefined;
  const parts = { ...options, hostname: address.hostname, board };
  let listener: Listener;
  try {
    listener = listen(
      withLastResort((request) => answer(request, parts)),
      address,
    );
  } catch (cause) {
    board?.close();
    const where = `METRICS_PORT ${address.port} of ${address.hostname}`;
    throw new Error(`Cannot serve metrics on ${where}`, { cause });
  }
  listener.failed.catch((error) =>
    options.log.error("metrics are not served any more", {
      reason: describeError(error),
    })
  );
  return {
    ...listener,
    async close(timeoutMs) {
      board?.close();
      await listener.close(timeoutMs);
    },
  };
}

function answer(request: Request, parts: Parts): Response {
  const route = routeOf(new URL(request.url).pathname, parts);
  if (route === undefined) return emptyResponse(404);
  const { method } = request;
  if (method !== "GET" && method !== "HEAD") {
    return emptyResponse(405, { allow: "GET, HEAD" });
  }
  return route(request, parts);
}

function routeOf(pathname: string, { board }: Parts) {
  if (pathname === "/metrics") return metrics;
  if (board === undefined) return undefined;
  if (pathname === "/") return page;
  return pathname === "/events" ? events : undefined;
}

function metrics(_: Request, { render, log }: Parts): Response {
  try {
    return new Response(render(true), {
      headers: { "cache-control": "no-store", "content-type": CONTENT_TYPE },
    });
  } catch (error) {
    log.warn("metrics not rendered", { reason: describeError(error) });
    return emptyResponse(500);
  }
}

/** The status page, whose events come from {@linkcode events}. */
function page(request: Request, parts: Parts): Response {
  return refusal(request, parts) ?? statusPage();
}

function events(request: Request, parts: Parts): Response {
  const refused = refusal(request, parts);
  if (refused !== undefined) return refused;
  const headers = {
    "cache-control": "no-store",
    "content-type": "text/event-stream",
    "x-content-type-options": "nosniff",
  };
  if (request.method === "HEAD") return new Response(null, { headers });
  const stream = parts.board?.watch();
  return stream === undefined
    ? emptyResponse(503, { "retry-after": "10" })
    : new Response(stream, { headers });
}

/** Refuses what a page elsewhere may have made a browser ask for, whose name for us somebody else has made up. */
function refusal(
  { url }: Request,
  { hostname }: Parts,
): Response | undefined {
  const asked = new URL(url).hostname;
  if (asked === hostname || isPrivateName(asked)) return undefined;
  return new Response(
    "The status page is served under an IP address or a private name only, so that no page of the internet can read it.\n",
    { status: 421, headers: { "cache-control": "no-store" } },
  );
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
