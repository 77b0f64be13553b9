/** Translates the failures of exchanges with upstreams. */
import { GatewayError } from "../errors.ts";
import { UpstreamError } from "../upstream/upstream_error.ts";

/**
 * The error to throw for a failed exchange: the gateway's for an upstream's, and anything else unchanged. `aborted`
 * and `body_failed` stay an {@linkcode UpstreamError}: the client has disconnected, and no code describes that.
 */
export function upstreamFailure(error: unknown): unknown {
  if (!(error instanceof UpstreamError)) return error;
  const cause = { cause: error };
  switch (error.code) {
    case "connect_failed":
    case "tls_failed":
    case "connection_lost":
      return new GatewayError("runner_unreachable", error.message, cause);
    case "upload_stalled":
      return new GatewayError("upload_stalled", error.message, cause);
    case "connect_timeout":
    case "header_timeout":
      return new GatewayError("runner_timeout", error.message, cause);
    case "protocol_error":
      return new GatewayError("runner_protocol_error", error.message, cause);
    case "closed":
      return new GatewayError("shutting_down", error.message, cause);
    case "aborted":
    case "body_failed":
      return error;
  }
}
