/**
 * Splits a request's URL without parsing it. In `Deno.serve`, `Request.url` is the text scheme + authority +
 * request-target as received; parsing would normalise the target, so it is sliced instead. The authority must match the
 * grammar and agree with the Host header: otherwise a Host of `h/a?b` would shift the slice.
 */

/** The two parts of a request's URL, byte for byte. */
interface RequestAddress {
  /** `host[:port]` as received. */
  readonly authority: string;
  /** The request-target in origin form (RFC 9112 section 3.2.1). */
  readonly target: string;
}

/** Outcome of {@linkcode splitRequestUrl}. */
type SplitResult =
  | { readonly ok: true; readonly address: RequestAddress }
  | { readonly ok: false; readonly code: "bad_host" | "bad_target" };

const AUTHORITY =
  /(?:[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?/y;

/**
 * Slices the authority and the raw target out of `url`; `hostHeader` is null over HTTP/2 if only `:authority` names the
 * host (RFC 9113 section 8.3.1).
 *
 * @example
 * ```ts
 * splitRequestUrl("http://h.test:80/a/../b?c", "h.test:80");
 * // { ok: true, address: { authority: "h.test:80", target: "/a/../b?c" } }
 * splitRequestUrl("http://h.test/a?b/p", "h.test/a?b"); // { ok: false, code: "bad_host" }
 * ```
 */
export function splitRequestUrl(
  url: string,
  hostHeader: string | null,
): SplitResult {
  const start = url.indexOf("://") + 3;
  AUTHORITY.lastIndex = start;
  const authority = AUTHORITY.exec(url)?.[0];
  if (authority === undefined) return { ok: false, code: "bad_host" };
  // With a target in absolute form, its authority overrides Host (RFC 9112 section 3.2.2). If the two differ, we do not
  // guess which one the client means.
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

/**
 * The authority without the default port of a scheme, which no browser names in a Host or an Origin (RFC 6454 section
 * 6.2), but some fronts add.
 *
 * @example
 * ```ts
 * withoutDefaultPort("h.test:443", "https"); // "h.test"
 * withoutDefaultPort("h.test:443", "http"); // "h.test:443"
 * ```
 */
export function withoutDefaultPort(
  authority: string,
  scheme: "http" | "https",
): string {
  const port = scheme === "https" ? ":443" : ":80";
  return authority.endsWith(port)
    ? authority.slice(0, -port.length)
    : authority;
}

/**
 * Splits a request-target into its path and its query, which begins with the question mark; it is empty if there is
 * none.
 *
 * @example
 * ```ts
 * splitQuery("/a?b?c"); // { path: "/a", query: "?b?c" }
 * splitQuery("/a"); // { path: "/a", query: "" }
 * ```
 */
export function splitQuery(target: string): { path: string; query: string } {
  const at = target.indexOf("?");
  return at < 0
    ? { path: target, query: "" }
    : { path: target.slice(0, at), query: target.slice(at) };
}
