/** The reason for which an exchange with an upstream failed. */
export type UpstreamErrorCode =
  /** No TCP connection: refused, unreachable, or unknown host. Nothing was sent, and the body is untouched. */
  | "connect_failed"
  /** No connection, TLS included, within the connect timeout. Nothing was sent, and the body is untouched. */
  | "connect_timeout"
  /** The TLS handshake failed. Nothing was sent, and the body is untouched. */
  | "tls_failed"
  /** The upstream did not take the request body, or did not send the final response head, in time. */
  | "header_timeout"
  /** The request body's source did not provide more of it in time, and there was no response yet. */
  | "upload_stalled"
  /** The upstream closed or reset the connection before its message was complete. */
  | "connection_lost"
  /** The upstream violated RFC 9112. */
  | "protocol_error"
  /** The request's signal was aborted, or the response body was cancelled. */
  | "aborted"
  /** The client was closed. */
  | "closed"
  /** The request body failed, or did not have the declared length. */
  | "body_failed";

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
