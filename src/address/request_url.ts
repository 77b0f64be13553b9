/**
 * `Request.url` of `Deno.serve` is not a parsed URL but the text scheme + authority + request-target, as received.
 * Parsing it would normalise the target, so it is sliced. The authority must be one the grammar knows and the Host
 * header must agree with it: a Host of `h/a?b` would otherwise shift the slice.
 */

/** Where a request is addressed, byte for byte. */
export interface RequestAddress {
  /** `host[:port]` as received. */
  readonly authority: string;
  /** The request-target in origin form (RFC 9112 section 3.2.1). */
  readonly target: string;
}

/** Outcome of {@linkcode splitRequestUrl}. */
export type SplitResult =
  | { readonly ok: true; readonly address: RequestAddress }
  | { readonly ok: false; readonly code: "bad_host" | "bad_target" };

const AUTHORITY =
  /(?:[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?/y;

/**
 * Slices the authority and the raw target out of `url`; `hostHeader` is null over HTTP/2, where `:authority` is the
 * only source (RFC 9113 section 8.3.1).
 */
export function splitRequestUrl(
  url: string,
  hostHeader: string | null,
): SplitResult {
  const start = url.indexOf("://") + 3;
  AUTHORITY.lastIndex = start;
  const authority = AUTHORITY.exec(url)?.[0];
  if (authority === undefined) return { ok: false, code: "bad_host" };
  // RFC 9112 section 3.2.2: with an absolute-form target, the authority there wins over Host. A client that sends
  // two different ones is not asking for anything we want to guess.
  if (
    hostHeader !== null &&
    hostHeader.toLowerCase() !== authority.toLowerCase()
  ) {
    return { ok: false, code: "bad_host" };
  }
  const target = url.slice(start + authority.length);
  if (!target.startsWith("/")) return { ok: false, code: "bad_target" };
  return { ok: true, address: { authority, target } };
}
