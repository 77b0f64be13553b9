/** Fetches build logs from the runners that built. */
import type { BuildLog } from "../directory/builds.ts";
import { GatewayError } from "../errors.ts";
import type { UpstreamClient } from "../upstream/client.ts";
import type { UpstreamResponse } from "../upstream/types.ts";
import { gatewayError } from "./forward.ts";
import { runnerBase } from "./runner_base.ts";

/** A user's request for a log: nothing else of it travels to the runner. */
export interface BuildLogRequest {
  /** The client's Accept, null where it has none. */
  readonly accept: string | null;
  /** From the question mark on, or empty. */
  readonly query: string;
  /** The chain of addresses that ends in the one that connected to us. */
  readonly forwardedFor: string;
  readonly requestId: string;
  /** Aborts when the client is gone. */
  readonly signal: () => AbortSignal;
}

/** The parameter that names the image: a runner takes the first of several. */
const PARAMETER = "snapshotRef";

/** Whether a name of the query is the parameter's, however it is spelled. */
function isParameter(pair: string): boolean {
  const [name = ""] = pair.split("=", 1);
  try {
    return decodeURIComponent(name.replaceAll("+", " ")).trim()
      .toLowerCase() === PARAMETER.toLowerCase();
  } catch {
    return false;
  }
}

/** The caller's query with our own `snapshotRef` in place of any that it has. */
export function buildLogQuery(query: string, snapshotRef: string): string {
  const pairs = query.slice(1).split(/[&;]/)
    .filter((pair) => pair !== "" && !isParameter(pair));
  // Well-formed, since a half of a surrogate pair, which JSON can hold, cannot be encoded.
  const value = encodeURIComponent(snapshotRef.toWellFormed());
  return `?${[...pairs, `${PARAMETER}=${value}`].join("&")}`;
}

/**
 * Asks the runner for the log; it goes on while the build does where the query says `follow=true`.
 *
 * @throws {GatewayError} where the runner has no such log, or none can be had
 */
export async function fetchBuildLog(
  request: BuildLogRequest,
  { runner, snapshotRef }: BuildLog,
  upstream: Pick<UpstreamClient, "request">,
): Promise<UpstreamResponse> {
  if (runner.apiUrl === null) {
    throw new GatewayError("runner_unreachable", "The runner has no API URL");
  }
  const base = runnerBase(runner.apiUrl);
  const query = buildLogQuery(request.query, snapshotRef);
  let response: UpstreamResponse;
  try {
    response = await upstream.request({
      origin: base.origin,
      method: "GET",
      target: `${base.path}/snapshots/logs${query}`,
      headers: [
        ["host", base.authority],
        ["accept", request.accept ?? "*/*"],
        ["x-daytona-authorization", `Bearer ${runner.apiKey}`],
        ["x-forwarded-for", request.forwardedFor],
        ["x-request-id", request.requestId],
      ],
      body: null,
      contentLength: null,
      lateSignal: request.signal,
    });
  } catch (error) {
    throw gatewayError(error);
  }
  const { status, body } = response;
  if (status === 200) return response;
  if (body instanceof ReadableStream) await body.cancel();
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
