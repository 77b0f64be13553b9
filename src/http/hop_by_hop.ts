/** Headers that apply to a single connection (RFC 9110 section 7.6.1): never forwarded, in either direction. */

const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** True if a header, by its lower-case name, is always hop-by-hop. */
export function isHopByHop(name: string): boolean {
  return HOP_BY_HOP.has(name);
}

const NONE: ReadonlySet<string> = new Set();

/** The lower-case names that a Connection header lists. @example `nominatedHeaders("close, X-Hop")` has "x-hop" */
export function nominatedHeaders(
  connection: string | null,
): ReadonlySet<string> {
  if (connection === null || connection === "") return NONE;
  const lower = connection.toLowerCase();
  if (lower === "keep-alive" || lower === "close" || lower === "upgrade") {
    return NONE;
  }
  return new Set(lower.split(",").map((name) => name.trim()));
}
