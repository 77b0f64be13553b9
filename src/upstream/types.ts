/** The nouns of the HTTP/1.1 client: what goes to an upstream and what comes back (RFC 9110, RFC 9112). */

/** Header fields in wire order, names as received, values as Latin-1 strings. */
export type HeaderList = ReadonlyArray<readonly [name: string, value: string]>;

/** Where an upstream listens; made by `parseOrigin()`. */
export interface Origin {
  readonly tls: boolean;
  /** A name or an address; an IPv6 address has no brackets here. */
  readonly hostname: string;
  readonly port: number;
  /** `scheme://host:port`, the port always spelled out: equal for equal origins. */
  readonly key: string;
}

/** One request; `UpstreamClient` checks it and throws `TypeError` before anything is sent. */
export interface UpstreamRequest {
  readonly origin: Origin;
  /** A token (RFC 9110 section 9), case-sensitive; CONNECT is refused. */
  readonly method: string;
  /** The request-target, sent byte for byte as Latin-1; controls and spaces are refused. */
  readonly target: string;
  /**
   * End-to-end fields with exactly one Host. Connection, Keep-Alive, Proxy-Connection, Content-Length,
   * Transfer-Encoding and (but for `upgrade()`) Upgrade are the client's own business and refused.
   */
  readonly headers: HeaderList;
  /** Its chunks are the client's to keep: their memory is freed when they are sent. Read only once a connection stands and the head is written; cancelled where the upload cannot go on. */
  readonly body: ReadableStream<Uint8Array> | null;
  /** Octets announced; null with a body means chunked, null without one means no framing field at all. */
  readonly contentLength: number | null;
  /** The client is gone: the upstream connection is closed at once, also in the middle of the response body. */
  readonly signal?: AbortSignal;
  /**
   * The same, asked for only where the response keeps its client waiting for a quarter of a second: making the signal
   * of a request costs more than most exchanges take. It counts until the response head.
   */
  readonly lateSignal?: () => AbortSignal;
  /** Told of every part of the body that was sent, in octets of content. */
  readonly onUpload?: (octets: number) => void;
}

/**
 * Bytes where the whole body had arrived with the head, a stream otherwise, null where the message has none. A
 * stream has to be read to its end or cancelled: it holds its connection until then.
 */
export type ResponseBody =
  | Uint8Array<ArrayBuffer>
  | ReadableStream<Uint8Array<ArrayBuffer>>
  | null;

/** One final response; `headers` holds every field received, hop-by-hop and framing ones included. */
export interface UpstreamResponse {
  readonly status: number;
  /** The reason phrase, Latin-1, possibly empty. */
  readonly reason: string;
  readonly headers: HeaderList;
  readonly body: ResponseBody;
}

/** A connection after a 101 (RFC 9110 section 7.8): it belongs to whoever holds it, who has to close it. */
export interface UpgradedConnection {
  /**
   * The next bytes, at least one, those that came right behind the head first; null at the end of the stream.
   * They lie in `buffer` where one is given, otherwise in memory that the next read overwrites. One read at a
   * time. Throws `UpstreamError` where the connection broke.
   */
  read(
    buffer?: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array<ArrayBuffer> | null>;
  /** Sends all of `bytes`; calls are carried out in order. Throws `UpstreamError` where the connection broke. */
  write(bytes: Uint8Array): Promise<void>;
  /** Closes at once, pending reads and writes fail; a second call does nothing. */
  close(): void;
}

/** What an opening handshake led to: the connection after a 101, or the ordinary response that refused it. */
export type UpgradeResult =
  | {
    readonly kind: "switched";
    readonly headers: HeaderList;
    readonly connection: UpgradedConnection;
  }
  | { readonly kind: "response"; readonly response: UpstreamResponse };
