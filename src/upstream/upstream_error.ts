/** Why an exchange with an upstream failed, unless its client has left (`StreamError`); with the first seven, nothing was sent, and the body is untouched. */
export type UpstreamErrorCode =
  | "unresponsive" // the upstream answers nobody
  | "busy" // too many exchanges wait for the upstream
  | "sandbox_busy" // too many exchanges wait for one sandbox's responses
  | "connect_failed" // no TCP connection: refused, unreachable, or unknown host
  | "no_descriptors" // no TCP connection: this process has too many open files
  | "connect_timeout" // no connection, TLS included, within the connect timeout
  | "tls_failed"
  | "header_timeout" // the upstream did not take the request body, or send the final response head, in time
  | "upload_stalled" // the request body's source did not provide more of it in time, and there was no response yet
  | "connection_lost" // closed or reset before the upstream's message was complete
  | "protocol_error" // the upstream violated RFC 9112
  | "closed"; // the client was closed

/** A failed exchange. `message` and `cause` are for logs only: they may reveal what the upstream sent. */
export class UpstreamError extends Error {
  override readonly name = "UpstreamError";
  readonly code: UpstreamErrorCode;

  constructor(
    code: UpstreamErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.code = code;
  }
}

/** A violation of the protocol by the upstream, which `message` describes. */
export function protocolError(message: string): UpstreamError {
  return new UpstreamError("protocol_error", message);
}

export interface TimeLimit {
  /** Milliseconds; 0 for no limit. */
  readonly ms: number;
  /** The code of the failure once the time is up. */
  readonly code: UpstreamErrorCode;
}

/** The deadline of an operation that starts `now`; Infinity without a limit. */
export function deadlineOf({ ms }: TimeLimit, now: number): number {
  return ms > 0 ? now + ms : Infinity;
}

export function timeoutError({ ms, code }: TimeLimit): UpstreamError {
  return new UpstreamError(code, `timed out after ${ms} ms`);
}
