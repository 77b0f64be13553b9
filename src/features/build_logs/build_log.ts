/** Fetches build logs from the runners that ran the builds. */
import { GatewayError } from "../../errors.ts";
import { runnerBase, runnerHeaders } from "../../resolver/own/runner.ts";
import { failedExchange } from "../../resolver/refusals/refusal.ts";
import { discardBody } from "../../stream/response_body.ts";
import type { UpstreamClient } from "../../upstream/http1/client.ts";
import type { UpstreamResponse } from "../../upstream/http1/message.ts";
import type { BuildLog } from "./builds.ts";

/** What of a user's request reaches the runner. */
interface BuildLogRequest {
  /** The client's Accept; null if it sent none. */
  readonly accept: string | null;
  /** From the question mark on; empty if there is none. */
  readonly query: string;
  /** Its last address is the one that connected to us. */
  readonly forwardedFor: string;
  readonly requestId: string;
  /** Aborted when the client disconnects. */
  readonly signal: () => AbortSignal;
  /** Whether there is memory to read so many bytes of the log at once. */
  readonly mayRead: (size: number) => boolean;
}

/** The query parameter that names the image; a runner takes the first if there are several. */
const IMAGE_PARAMETER = "snapshotRef";

/** True if a pair of the query is that parameter, however its name is encoded or capitalized. */
function isImageParameter(pair: string): boolean {
  const [name = ""] = pair.split("=", 1);
  try {
    return decodeURIComponent(name.replaceAll("+", " ")).trim()
      .toLowerCase() === IMAGE_PARAMETER.toLowerCase();
  } catch {
    return false;
  }
}

/** The caller's query with our `snapshotRef` in place of any that it contains. */
export function buildLogQuery(query: string, snapshotRef: string): string {
  const pairs = query.slice(1).split(/[&;]/)
    .filter((pair) => pair !== "" && !isImageParameter(pair));
  // JSON can hold a lone surrogate, at which encodeURIComponent() would throw.
  const value = encodeURIComponent(snapshotRef.toWellFormed());
  return `?${[...pairs, `${IMAGE_PARAMETER}=${value}`].join("&")}`;
}

/**
 * Requests the log from the runner; with `follow=true` in the query, it streams for as long as the build runs.
 * @throws {GatewayError} `build_log_not_found`, `shutting_down`, or a `runner_*` code if the runner cannot be used
 * @throws {StreamError} if the client has disconnected
 */
export async function fetchBuildLog(
  request: BuildLogRequest,
  { runner, snapshotRef }: BuildLog,
  upstream: Pick<UpstreamClient, "request">,
): Promise<UpstreamResponse> {
  if (runner.apiUrl === null) {
    throw new GatewayError("runner_unreachable", "The runner has no API URL");
  }
  const { origin, authority, path } = runnerBase(runner.apiUrl);
  const query = buildLogQuery(request.query, snapshotRef);
  let response: UpstreamResponse;
  try {
    response = await upstream.request({
      origin,
      method: "GET",
      target: `${path}/snapshots/logs${query}`,
      headers: [
        ["host", authority],
        ["accept", request.accept ?? "*/*"],
        ...runnerHeaders(runner),
        ["x-forwarded-for", request.forwardedFor],
        ["x-request-id", request.requestId],
      ],
      body: null,
      contentLength: null,
      lateSignal: request.signal,
      mayRead: request.mayRead,
    });
  } catch (error) {
    throw failedExchange(error).error;
  }
  const { status, body } = response;
  if (status === 200) return response;
  discardBody(body);
  switch (status) {
    case 404:
      throw new GatewayError("build_log_not_found", "Not on the runner");
    case 401:
    case 403:
      throw new GatewayError("runner_refused", `Status ${status} for a log`);
    default:
      throw new GatewayError("runner_protocol_error", `Status ${status}`);
  }
}
