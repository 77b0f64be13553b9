/** Translates the failures of exchanges with upstreams. */
import { type ErrorCode, GatewayError } from "../../errors.ts";
import {
  UpstreamError,
  type UpstreamErrorCode,
} from "../../upstream/upstream_error.ts";
import { Refusal, type RefusalKind } from "./refusal.ts";

/** The error code is null where the client has disconnected. */
const FAILURES: Readonly<
  Record<UpstreamErrorCode, readonly [RefusalKind, ErrorCode | null]>
> = {
  connect_failed: ["not_reached", "runner_unreachable"],
  connect_timeout: ["not_reached", "runner_timeout"],
  tls_failed: ["not_reached", "runner_unreachable"],
  header_timeout: ["final", "runner_timeout"],
  upload_stalled: ["final", "upload_stalled"],
  connection_lost: ["dropped", "runner_unreachable"],
  protocol_error: ["dropped", "runner_protocol_error"],
  closed: ["final", "shutting_down"],
  aborted: ["final", null],
  body_failed: ["final", null],
};

/**
 * The refusal that a failed exchange comes to; its error has the failure as its cause.
 *
 * @throws `error` itself if it is no {@linkcode UpstreamError}
 */
export function failedExchange(error: unknown): Refusal {
  if (!(error instanceof UpstreamError)) throw error;
  const [kind, code] = FAILURES[error.code];
  return new Refusal(
    kind,
    code === null
      ? error
      : new GatewayError(code, error.message, { cause: error }),
  );
}
