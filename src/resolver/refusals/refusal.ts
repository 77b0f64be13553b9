/** What comes in place of an app's response. */
import { type ErrorCode, GatewayError } from "../../errors.ts";
import { StreamError } from "../../stream/stream_error.ts";
import {
  UpstreamError,
  type UpstreamErrorCode,
} from "../../upstream/upstream_error.ts";

/** What a refusal says of the way to the sandbox. */
export type RefusalKind =
  /** Nothing of the request was sent, and the sandbox may be elsewhere. */
  | "not_reached"
  /** The upstream does not have the sandbox, which may be elsewhere. */
  | "not_there"
  /** The upstream does not accept what it knows the gateway by. */
  | "not_accepted"
  /** The exchange ended without a response: the app may have dropped it. */
  | "dropped"
  /** Nothing that another attempt would change. */
  | "final";

/** A refusal by an upstream, or its failure, in place of the app's response. */
export class Refusal {
  readonly kind: RefusalKind;
  /** What to throw: a {@linkcode StreamError} if the client has disconnected, as no code describes that. */
  readonly error: GatewayError | StreamError;

  constructor(kind: RefusalKind, error: GatewayError | StreamError) {
    this.kind = kind;
    this.error = error;
  }
}

/** What refusals with these codes say; those with any other are final. */
const KINDS: Readonly<Partial<Record<ErrorCode, RefusalKind>>> = {
  container_not_found: "not_there",
  runner_refused: "not_accepted",
  port_closed: "dropped",
};

/** A refusal by an upstream, of which the log has the reason. */
export function refusalWith(code: ErrorCode, reason: string): Refusal {
  return new Refusal(KINDS[code] ?? "final", new GatewayError(code, reason));
}

/** What failures say. */
const FAILURES: Readonly<
  Record<UpstreamErrorCode, readonly [RefusalKind, ErrorCode]>
> = {
  unresponsive: ["not_reached", "runner_unresponsive"],
  busy: ["final", "runner_overloaded"],
  sandbox_busy: ["final", "sandbox_overloaded"],
  connect_failed: ["not_reached", "runner_unreachable"],
  no_descriptors: ["final", "overloaded"],
  connect_timeout: ["not_reached", "runner_timeout"],
  tls_failed: ["not_reached", "runner_unreachable"],
  header_timeout: ["final", "runner_timeout"],
  upload_stalled: ["final", "upload_stalled"],
  connection_lost: ["dropped", "runner_unreachable"],
  protocol_error: ["dropped", "runner_protocol_error"],
  closed: ["final", "shutting_down"],
};

/** What a failed exchange comes to, `cause` being its error's; throws `cause` if it is neither leg's failure. */
export function failedExchange(cause: unknown): Refusal {
  if (cause instanceof StreamError) return new Refusal("final", cause);
  if (!(cause instanceof UpstreamError)) throw cause;
  const [kind, code] = FAILURES[cause.code];
  return new Refusal(kind, new GatewayError(code, cause.message, { cause }));
}
