/**
 * Deno 2.9.6: `Deno.upgradeWebSocket()` separates the subprotocols that a client offers by `", "` only, and throws if
 * `protocol` is not among them. Clients may send `a,b` (RFC 9110 section 5.6.1), as Daytona's SDK does. No upstream
 * issue is known.
 *
 * Instead, the request's `headers` are shadowed by a copy with that separator.
 */
import type { RequestHeaders } from "../http/headers.ts";

/** The request as `Deno.upgradeWebSocket()` understands it; `headers` are those of the request. */
export function withSpacedProtocols(
  request: Request,
  headers: RequestHeaders,
): Request {
  const offered = headers.get("sec-websocket-protocol");
  if (offered === null) return request;
  const spaced = new Headers([...headers]);
  const names = offered.split(",").map((name) => name.trim()).join(", ");
  spaced.set("sec-websocket-protocol", names);
  return Object.defineProperty(request, "headers", { value: spaced });
}
