/** What a listener calls for each request, and what is known of that. */
import { type RequestHeaders, requestHeadersOf } from "../../http/headers.ts";
import { accessSignal } from "../../platform/early_signal.ts";

/** A handler for a listener, whose promise never rejects. */
export type Handler = (
  request: Request,
  info: RequestInfo,
) => Response | Promise<Response>;

export interface RequestInfo extends Deno.ServeHandlerInfo {
  /** Told the size of each part of the request's body that is read, bytes. */
  readonly onBodyRead?: ((bytes: number) => void) | undefined;
  /** True if HTTP/2 was agreed on, by which a request names its host without a Host. */
  isHttp2?: boolean;
  /** The connection, if it is ours to close. */
  readonly socket?: ClientSocket;
}

/** A client's connection. */
export interface ClientSocket {
  /** How much it was sent, bytes. */
  readonly sentBytes: number;
  /** Closes it at once, and loses what was not sent. */
  close(): void;
}

/** The headers of a request that has just come: without a Host, it may be of HTTP/2, and its signal is accessed in time. */
export function receivedHeaders(request: Request): RequestHeaders {
  const headers = requestHeadersOf(request.headers);
  if (headers.get("host") === null) accessSignal(request);
  return headers;
}
