/** The request to a runner, built from an admitted request and the runner's record. */
import { appTarget, portPrefix, toolboxPrefix } from "../address/app_target.ts";
import type { Runner } from "../daytona/api.ts";
import { GatewayError } from "../errors.ts";
import type { RequestHeaders } from "../lib/headers.ts";
import type { ExchangeStats } from "../observability/exchange_stats.ts";
import type { BodyReader } from "../upstream/http1/body_reader.ts";
import type { UpstreamRequest } from "../upstream/http1/message.ts";
import { type Forwarded, requestFields } from "./request_headers.ts";
import { proxyBaseOf } from "./runner_base.ts";

/** An admitted request, whichever runner it goes to. */
export interface AdmittedRequest {
  readonly method: string;
  readonly headers: RequestHeaders;
  readonly body: BodyReader | null;
  /** Octets; null if the client did not announce it. */
  readonly contentLength: number | null;
  /** The request-target for the app, without our key. */
  readonly target: string;
  readonly sandboxId: string;
  /** A port of the sandbox, or its toolbox. */
  readonly destination: number | "toolbox";
  readonly forwarded: Forwarded;
  readonly dropAuthorization: boolean;
  /** Identifies the request in the logs of the runner and the app. */
  readonly requestId: string;
  /** Aborted when the client disconnects. */
  readonly signal: () => AbortSignal;
}

/**
 * The upstream request that sends `request` to `runner`, counting the upload in `stats`.
 *
 * @throws {GatewayError} `bad_target` if the path would leave the sandbox
 */
export function upstreamRequest(
  request: AdmittedRequest,
  runner: Runner,
  stats: ExchangeStats,
): UpstreamRequest {
  const { sandboxId, destination } = request;
  const base = proxyBaseOf(runner);
  const target = destination === "toolbox"
    ? appTarget(toolboxPrefix(sandboxId), request.target)
    : appTarget(portPrefix(sandboxId, destination), request.target);
  if (target === undefined) {
    throw new GatewayError(
      "bad_target",
      "Dot segments that cannot be resolved",
    );
  }
  return {
    origin: base.origin,
    method: request.method,
    target: base.path + target,
    headers: requestFields({
      headers: request.headers,
      runnerHost: base.authority,
      runnerKey: runner.apiKey,
      forwarded: request.forwarded,
      dropAuthorization: request.dropAuthorization,
      requestId: request.requestId,
    }),
    body: request.body,
    contentLength: request.contentLength,
    lateSignal: request.signal,
    onUpload(octets) {
      stats.receivedBytes += octets;
    },
  };
}
