/** The messages of the HTTP/1.1 client: what is sent to an upstream and what comes back (RFC 9110, RFC 9112). */
import type { HeaderList } from "../../http/headers.ts";
import type { Origin } from "../../http/origin.ts";
import type { BodyReader } from "../../stream/body_reader.ts";
import type { ResponseBody } from "../../stream/response_body.ts";
import type { UpgradedConnection } from "./upgraded_connection.ts";

/** A request; `UpstreamClient` validates it, and throws `TypeError` before anything is sent. */
export interface UpstreamRequest {
  readonly origin: Origin;
  /** A token (RFC 9110 section 9), case-sensitive; CONNECT is rejected. */
  readonly method: string;
  /** The request-target, sent byte for byte as Latin-1; control characters and spaces are rejected. */
  readonly target: string;
  /** End-to-end headers with one Host; those of framing and the connection are rejected: the client sets them. */
  readonly headers: HeaderList;
  /** Read once the head is written, unless it may be peeked at; cancelled if the upload cannot go on. Its chunks are freed. */
  readonly body: BodyReader | null;
  /** The Content-Length; null with a body means chunked, null without one means no framing header at all. */
  readonly contentLength: number | null;
  /** Aborted when the client has disconnected: closes the upstream connection at once, even amid the response body. */
  readonly signal?: AbortSignal;
  /** Such a signal, asked for only if a client waits for a quarter of a second: it costs more than most exchanges take. */
  readonly lateSignal?: () => AbortSignal;
  /** Called for every part of the body that was sent, with its length in bytes. */
  readonly onUpload?: (bytes: number) => void;
  /** Whether there is memory to read so many bytes of the response's body at once; always unless given. */
  readonly mayRead?: (size: number) => boolean;
  /** Whether to gather a body of so many bytes, at least 16 KiB, for which there is memory; never unless given. */
  readonly mayGather?: (size: number) => boolean;
}

/** A final response, with every header received, but without its reason phrase (RFC 9112 section 4). */
export interface UpstreamResponse {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: ResponseBody;
}

/** The outcome of an opening handshake: the connection after a 101, or the ordinary response that refused it. */
export type UpgradeResult =
  | {
    readonly kind: "switched";
    readonly headers: HeaderList;
    readonly connection: UpgradedConnection;
  }
  | { readonly kind: "response"; readonly response: UpstreamResponse };
