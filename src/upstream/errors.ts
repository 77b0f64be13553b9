/** Why an exchange with an upstream failed; a closed list. */
export type UpstreamErrorCode =
  /** No TCP connection: refused, unreachable, unknown host. Nothing was sent, the body is untouched. */
  | "connect_failed"
  /** No connection (TLS included) within the connect timeout. Nothing was sent, the body is untouched. */
  | "connect_timeout"
  /** The TLS handshake failed. Nothing was sent, the body is untouched. */
  | "tls_failed"
  /** The request was sent, the final response head did not come in time. */
  | "header_timeout"
  /** Nothing more of the request body came in time, and there was no response yet. */
  | "upload_stalled"
  /** The upstream closed or reset the connection before its message was complete. */
  | "connection_lost"
  /** The upstream broke the rules of RFC 9112. */
  | "protocol_error"
  /** The request's signal was aborted, or the response body cancelled. */
  | "aborted"
  /** The client was closed. */
  | "closed"
  /** The request body failed, or had other than the announced length. */
  | "body_failed";

/** A failed exchange. `message` and `cause` are for logs: they may tell what the upstream sent. */
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

/** What the upstream sent breaks RFC 9112: `message` says how. */
export function protocolError(message: string): UpstreamError {
  return new UpstreamError("protocol_error", message);
}
