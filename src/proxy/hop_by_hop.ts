/** Fields that belong to one connection (RFC 9110 section 7.6.1): never relayed, in either direction. */

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

/** Whether `name`, in lower case, is a hop-by-hop field by its definition. */
export function isHopByHop(name: string): boolean {
  return HOP_BY_HOP.has(name);
}

const NONE: ReadonlySet<string> = new Set();

/** The field names that a Connection field nominates as hop-by-hop, in lower case. */
export function nominatedFields(
  connection: string | null | undefined,
): ReadonlySet<string> {
  if (connection === null || connection === undefined) return NONE;
  const lower = connection.toLowerCase();
  if (lower === "keep-alive" || lower === "close" || lower === "upgrade") {
    return NONE;
  }
  return new Set(lower.split(",").map((name) => name.trim()));
}
