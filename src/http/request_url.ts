/**
 * Splits a request's URL without parsing it. In `Deno.serve`, `Request.url` is the text scheme + authority +
 * request-target as received; parsing would normalise the target, so it is sliced instead. The authority must match the
 * grammar and agree with the Host header: otherwise a Host of `h/a?b` would shift the slice.
 */

/** A request's `host[:port]` and its target in origin form (RFC 9112 section 3.2.1), both as received. */
type SplitResult =
  | {
    readonly ok: true;
    readonly address: { readonly authority: string; readonly target: string };
  }
  | { readonly ok: false; readonly code: "bad_host" | "bad_target" };

const AUTHORITY =
  /(?:[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?/y;

/** Longer than any name (RFC 1035 section 2.3.4) with a port: no authority is, so that what looks at one is bounded. */
export const MAX_AUTHORITY_LENGTH = 264;

/**
 * Slices the authority and the raw target out of `url`; `hostHeader` is null over HTTP/2 if only `:authority` names the
 * host (RFC 9113 section 8.3.1).
 */
export function splitRequestUrl(
  url: string,
  hostHeader: string | null,
): SplitResult {
  const start = url.indexOf("://") + 3;
  AUTHORITY.lastIndex = start;
  const authority = AUTHORITY.exec(url)?.[0];
  if (authority === undefined || authority.length > MAX_AUTHORITY_LENGTH) {
    return { ok: false, code: "bad_host" };
  }
  // A target in absolute form overrides Host (RFC 9112 section 3.2.2), but we do not guess which one the client means.
  const host = hostHeader ?? authority;
  if (host.toLowerCase() !== authority.toLowerCase()) {
    return { ok: false, code: "bad_host" };
  }
  const target = url.slice(start + authority.length);
  if (!target.startsWith("/")) return { ok: false, code: "bad_target" };
  return { ok: true, address: { authority, target } };
}

/** An authority without its scheme's default port. @example `withoutDefaultPort("h.test:443", "https")` is `"h.test"` */
export function withoutDefaultPort(
  authority: string,
  scheme: "http" | "https",
): string {
  const port = scheme === "https" ? ":443" : ":80";
  if (!authority.endsWith(port)) return authority;
  return authority.slice(0, -port.length);
}

/** Splits a target into path and query. @example `splitQuery("/a?b?c")` is `{ path: "/a", query: "?b?c" }` */
export function splitQuery(target: string): { path: string; query: string } {
  const at = target.indexOf("?");
  if (at < 0) return { path: target, query: "" };
  return { path: target.slice(0, at), query: target.slice(at) };
}
