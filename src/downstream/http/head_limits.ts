/** The limits for the head of a request, and what it asks for. */
import type { Config } from "../../config/config.ts";
import { GatewayError } from "../../errors.ts";
import type { RequestHeaders } from "../../http/headers.ts";
import { formDecoded } from "../../http/query_parameter.ts";

export type RequestHeadLimits = Pick<
  Config["limits"],
  "targetBytes" | "headerBytes" | "headerFields"
>;

interface Head {
  readonly target: string;
  readonly headers: Iterable<readonly [string, string]>;
}

/**
 * Checks the head of a request before anything else is done for it.
 * @throws {GatewayError} `target_too_long` (RFC 9110 section 15.5.15) or `head_too_large` (RFC 6585 section 5)
 */
export function checkHead(
  { target, headers }: Head,
  limits: RequestHeadLimits,
): void {
  // `Deno.serve()` accepts only ASCII in a target and Latin-1 in a header, so a character is a byte.
  if (target.length > limits.targetBytes) {
    throw new GatewayError("target_too_long", `${target.length} octets`);
  }
  let count = 0;
  let bytes = 0;
  for (const [name, value] of headers) {
    count++;
    bytes += name.length + value.length;
  }
  if (count > limits.headerFields || bytes > limits.headerBytes) {
    const message = `${count} fields, ${bytes} octets`;
    throw new GatewayError("head_too_large", message);
  }
}

/** Checks a head for our own pages, without cookies: a browser that has too many of ours must be able to log out. */
export function checkControlHead(
  { target, headers }: Head,
  limits: RequestHeadLimits,
): void {
  const counted = [...headers].filter(([name]) => name !== "cookie");
  checkHead({ target, headers: counted }, limits);
}

/** Most parameters of a target for our own pages, none of which has ten. */
const MAX_PARAMETERS = 100;

/** The longest target for our own pages that may have what cannot be decoded: 256 exceptions take 4 ms. */
const MAX_UNDECODABLE = 1024;

/**
 * Checks the target of a request for our own pages, of which each part is decoded by itself: those that cannot be would
 * cost an exception each, some 15 us, and a target has room for 16,000.
 * @throws {GatewayError} `bad_request`
 */
export function checkControlTarget({ target }: Pick<Head, "target">): void {
  if (target.split("&", MAX_PARAMETERS + 1).length > MAX_PARAMETERS) {
    throw new GatewayError("bad_request", "Too many parameters");
  }
  if (target.length > MAX_UNDECODABLE && formDecoded(target) === undefined) {
    throw new GatewayError("bad_request", "What is encoded is no UTF-8");
  }
}

/** True if a head that {@linkcode checkHead} refuses would be accepted without its cookies. */
export function hasTooManyCookies(
  request: Head & { readonly headers: RequestHeaders },
  limits: RequestHeadLimits,
): boolean {
  try {
    checkControlHead(request, limits);
    return request.headers.has("cookie");
  } catch (error) {
    if (error instanceof GatewayError) return false; // too large without them, too
    throw error;
  }
}

/** True if a request opens a WebSocket (RFC 6455 section 4.1); one for any other upgrade is an ordinary request. */
export function isWebSocketRequest(
  method: string,
  headers: RequestHeaders,
): boolean {
  return method === "GET" &&
    /^websocket$/i.test(headers.get("upgrade") ?? "") &&
    /(?:^|,)\s*upgrade\s*(?:,|$)/i.test(headers.get("connection") ?? "");
}
