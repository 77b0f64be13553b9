/** One request that a runner may answer, taken apart once: what every decision about it looks at. */
import type { Fields } from "../lib/fields.ts";
import type { PreviewHost } from "../address/preview_host.ts";
import { TOOLBOX_PORT } from "../address/sandbox_ref.ts";
import type { Build } from "../directory/builds.ts";
import { GatewayError } from "../errors.ts";

/** The request as plain data, and the Request itself for whoever carries the decision out. */
export interface Exchange {
  readonly id: string;
  readonly request: Request;
  readonly method: string;
  readonly headers: Fields;
  /** `host[:port]` as received. */
  readonly authority: string;
  /** The request-target, byte for byte. */
  readonly target: string;
  /** The address at the other end of the connection. */
  readonly peer: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

/** A request to a preview host. */
export interface PreviewExchange extends Exchange {
  readonly route: "preview";
  readonly host: PreviewHost;
}

/** A request to the daemon of a sandbox by `/toolbox/{id}`; its `target` is the daemon's own. */
export interface ToolboxExchange extends Exchange {
  readonly route: "toolbox";
  readonly sandboxId: string;
}

/** A request for a sandbox. */
export type SandboxExchange = PreviewExchange | ToolboxExchange;

/** The port and the label that a request is for; the toolbox is what the preview host of its port leads to as well. */
export function destinationOf(
  exchange: SandboxExchange,
): Omit<PreviewHost, "base"> {
  return exchange.route === "preview" ? exchange.host : {
    port: TOOLBOX_PORT,
    label: exchange.sandboxId,
    authoritySuffix: exchange.authority,
  };
}

/** A request for the log of a build. */
export interface BuildLogExchange extends Exchange {
  readonly route: "build_logs";
  readonly build: Build;
  /** The query of the request-target, from its question mark on. */
  readonly query: string;
}

/** The body to forward and its announced length (RFC 9112 section 6). */
export interface RequestBody {
  readonly body: ReadableStream<Uint8Array> | null;
  /** Octets; null where not announced. */
  readonly contentLength: number | null;
}

const CONTENT_LENGTH = /^[0-9]{1,15}$/;

/**
 * What body a request has. `Request.body` is a stream for a bodiless POST too, so the framing fields decide. Over HTTP/2,
 * which frames by itself, the stream is all there is: its beginning is waited for, but not for long.
 *
 * @throws {GatewayError} `bad_request` for framing that we would have to repair (RFC 9112 section 6.3)
 */
export function requestBody(
  { body }: Request,
  headers: Fields,
): RequestBody | Promise<RequestBody> {
  const length = headers.get("content-length");
  const coding = headers.get("transfer-encoding");
  if (
    length !== null && !CONTENT_LENGTH.test(length) ||
    coding !== null && coding.toLowerCase() !== "chunked"
  ) throw new GatewayError("bad_request", "Framing that cannot be passed on");
  if (body === null) return NO_BODY;
  if (length !== null) {
    const contentLength = Number(length);
    return { body: contentLength === 0 ? null : body, contentLength };
  }
  if (coding !== null) return { body, contentLength: null };
  return nonEmpty(body).then((body) => ({ body, contentLength: null }));
}

const NO_BODY: RequestBody = { body: null, contentLength: null };

/** How long an unframed body may keep to itself whether there is one, ms: after that it is taken for one. */
const FIRST_OCTET_MS = 50;

/** The same stream again, or null where it is empty. */
async function nonEmpty(
  body: ReadableStream<Uint8Array>,
): Promise<ReadableStream<Uint8Array> | null> {
  const reader = body.getReader();
  /** The next octets: the front may hand out chunks of none. */
  async function octets(): Promise<Uint8Array | undefined> {
    for (;;) {
      const { value } = await reader.read();
      if (value === undefined || value.length > 0) return value;
    }
  }
  let first: Promise<Uint8Array | undefined> | undefined = octets();
  first.catch(() => {}); // whoever reads the stream hears of it
  const waited = Promise.withResolvers<"late">();
  const timer = setTimeout(() => waited.resolve("late"), FIRST_OCTET_MS);
  try {
    if (await Promise.race([first, waited.promise]) === undefined) return null;
  } finally {
    clearTimeout(timer);
  }
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const chunk = await (first ?? octets());
      first = undefined;
      if (chunk === undefined) controller.close();
      else controller.enqueue(chunk);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

/** Whether a request asks for a WebSocket (RFC 6455 section 4.1); any other upgrade is an ordinary request. */
export function isWebSocketRequest(method: string, headers: Fields): boolean {
  return method === "GET" &&
    /^websocket$/i.test(headers.get("upgrade") ?? "") &&
    /(?:^|,)\s*upgrade\s*(?:,|$)/i.test(headers.get("connection") ?? "");
}
