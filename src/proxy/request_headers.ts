/**
 * The headers of the request to the upstream. First, everything that must not be forwarded is dropped (hop-by-hop headers,
 * those that the client's Connection header lists, credentials, whatever claims to come from a proxy); then ours are
 * set, so that no client can remove or precede one of them.
 */
import { FEATURE_REQUEST_HEADERS } from "../../gen/facts.ts";
import { withoutTokens } from "../auth/preview_token.ts";
import type { Forwarded } from "../downstream/http/forwarded.ts";
import { withoutOwnCookies } from "../http/cookies.ts";
import type { HeaderList } from "../http/headers.ts";
import { isHopByHop, nominatedHeaders } from "../http/hop_by_hop.ts";
import { byName } from "../lib/by_name.ts";
import type { RequestTrace } from "../observability/traces.ts";
import type { Destination } from "../resolver/destination.ts";
import {
  type AddressedRequest,
  type AddressForm,
  localUrl,
} from "./app_origin.ts";

const SKIP_ACTIVITY = "x-daytona-skip-last-activity-update";

/** Headers that are addressed to the gateway, or that only the gateway may set. */
const NEVER_FROM_CLIENT: ReadonlySet<string> = new Set([
  "content-length", // the upstream client decides the framing
  "expect", // already answered by `Deno.serve()`
  "forwarded",
  "host",
  "sec-websocket-extensions", // none is negotiated: see upstream/websocket/handshake.ts
  "sec-websocket-key",
  "sec-websocket-version",
  "x-daytona-authorization",
  "x-daytona-disable-cors",
  "x-daytona-preview-token",
  "x-daytona-skip-last-activity-update",
  "x-daytona-skip-preview-warning",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-proto",
  "x-porthole-debug",
  "x-porthole-token",
  "x-real-ip",
  ...FEATURE_REQUEST_HEADERS,
]);

/**
 * True if only we may send a header to the app. Servers that pass headers on as variables do not tell an underscore from
 * a hyphen (CGI, WSGI), nor a dot (PHP), so what they would take for one of ours is not for clients either.
 */
function isOurs(name: string): boolean {
  return NEVER_FROM_CLIENT.has(name.replaceAll(/[^a-z0-9]/g, "-"));
}

/** By which a client asks whether what it has is still good (RFC 9110 section 13.1). */
const VALIDATION = /^if-(?:modified-since|none-match)$/;

/** True if no header of that name is passed on. */
const isDropped = byName((name) => isOurs(name) || isHopByHop(name));

/** The part of an admitted request that its headers depend on; the client's have lower-case names. */
export interface HeadersSource
  extends Pick<AddressedRequest, "headers" | "appAddress"> {
  /** The X-Request-Id unless the client sent one: it identifies the request in the logs of the upstream and the app. */
  readonly id: string;
  readonly forwarded: Forwarded;
  readonly trace?: Pick<RequestTrace, "traceparent"> | undefined;
  /** What features add, of names that no client may send. */
  readonly added?: HeaderList | undefined;
  /** True if the app is asked for its content without a coding. */
  readonly asksPlain?: boolean;
  /** True if `Authorization` is not meant for the app, since it held the credential that granted access. */
  readonly dropsAuthorization: boolean;
  /** True if the client is to get a whole response, and not to hear that the one that it has is still good. */
  readonly needsWhole?: boolean;
}

/** The end-to-end headers to send to `destination`, as a new list; `form` is what they tell the app of its address. */
export function requestHeaders(
  request: HeadersSource,
  destination: Pick<Destination, "authority" | "headers" | "reportsUse">,
  form: AddressForm,
): [string, string][] {
  const { headers, forwarded, needsWhole = false } = request;
  const app = form === "local" ? request.appAddress : undefined;
  const traceparent = request.trace?.traceparent;
  const nominated = nominatedHeaders(headers.get("connection"));
  const sent: [string, string][] = [["host", destination.authority]];
  let hasRequestId = false;
  let hasCodings = false;
  let hasOrigin = false;
  for (const header of headers) {
    const name = header[0];
    if (isDropped(name) || nominated.has(name)) continue;
    if (name === "authorization" && request.dropsAuthorization) continue;
    if (needsWhole && VALIDATION.test(name)) continue;
    if (traceparent !== undefined && name === "traceparent") continue;
    if (name === "x-request-id") hasRequestId = true;
    if (name === "accept-encoding") {
      if (request.asksPlain) continue;
      hasCodings = true;
    }
    if (name === "cookie") {
      const cookie = withoutOwnCookies(header[1]);
      if (cookie !== undefined) sent.push([name, cookie]);
      continue;
    }
    if (name === "referer") {
      // Only navigations are redirected to an address without tokens: a stylesheet's may be its fonts' referrer.
      const referer = withoutTokens(header[1]);
      sent.push([name, app === undefined ? referer : localUrl(referer, app)]);
      continue;
    }
    if (name === "origin" && form !== "public") {
      hasOrigin = true;
      if (app !== undefined) sent.push([name, localUrl(header[1], app)]);
      continue;
    }
    sent.push(header);
  }
  // Otherwise the upstream would ask for gzip by itself, and decode what comes: without its length, and with an ETag
  // that is another representation's.
  if (!hasCodings) sent.push(["accept-encoding", "identity"]);
  if (!hasRequestId) sent.push(["x-request-id", request.id]);
  if (traceparent !== undefined) sent.push(["traceparent", traceparent]);
  for (const [name, value] of destination.headers) sent.push([name, value]);
  for (const [name, value] of request.added ?? []) sent.push([name, value]);
  if (destination.reportsUse && headers.get(SKIP_ACTIVITY) === "true") {
    sent.push([SKIP_ACTIVITY, "true"]);
  }
  if (app === undefined) sent.push(["x-forwarded-host", forwarded.host]);
  // Servers compare it with an Origin only; without, it is what apps set their Secure cookies by.
  if (app === undefined || !hasOrigin) {
    sent.push(["x-forwarded-proto", forwarded.proto]);
  }
  sent.push(["x-forwarded-for", forwarded.for]);
  return sent;
}
