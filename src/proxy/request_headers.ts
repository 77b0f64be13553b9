/**
 * The fields of the request to the runner. First, everything that must not be forwarded is dropped (hop-by-hop fields,
 * those that the client's Connection field lists, credentials, whatever claims to come from a proxy); then ours are
 * set, so that no client can remove or precede one of them.
 */
import { withoutOwnCookies } from "../auth/cookies.ts";
import { splitPreviewToken } from "../auth/preview_token.ts";
import type { RequestHeaders } from "../lib/headers.ts";
import { isHopByHop, nominatedFields } from "./hop_by_hop.ts";

/** Fields that are addressed to the gateway, or that only the gateway may set. */
const NEVER_FROM_CLIENT: ReadonlySet<string> = new Set([
  "content-length", // the upstream client decides the framing
  "expect", // already answered by `Deno.serve()`
  "forwarded",
  "host",
  "sec-websocket-extensions", // none is negotiated: see upstream/websocket_handshake.ts
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
  "x-real-ip",
]);

/** What the runner and the app are told about where the request came from. */
export interface Forwarded {
  /** The public `host[:port]` that the client used. */
  readonly host: string;
  readonly proto: "http" | "https";
  /** The client's address and those of proxies, in order; the last one connected to us. */
  readonly for: string;
}

/** What {@linkcode requestFields} builds the fields from. */
export interface RequestFieldsInput {
  /** The client's fields, with lower-case names. */
  readonly headers: RequestHeaders;
  /** The runner's authority. */
  readonly runnerHost: string;
  readonly runnerKey: string;
  readonly forwarded: Forwarded;
  /** Whether `Authorization` held the credential that granted access, and so is not meant for the app. */
  readonly dropAuthorization: boolean;
  /** The X-Request-Id unless the client sent one. */
  readonly requestId: string;
}

/** The end-to-end fields to send upstream, as a new list. */
export function requestFields(input: RequestFieldsInput): [string, string][] {
  const { headers, forwarded } = input;
  const nominated = nominatedFields(headers.get("connection"));
  const fields: [string, string][] = [["host", input.runnerHost]];
  let hasRequestId = false;
  for (const field of headers) {
    const name = field[0];
    if (
      NEVER_FROM_CLIENT.has(name) || isHopByHop(name) || nominated.has(name)
    ) continue;
    if (name === "authorization" && input.dropAuthorization) continue;
    if (name === "x-request-id") hasRequestId = true;
    if (name === "cookie") {
      const cookie = withoutOwnCookies(field[1]);
      if (cookie !== undefined) fields.push([name, cookie]);
      continue;
    }
    if (name === "referer") {
      // Only navigations are redirected to an address without the key: a stylesheet's may be its fonts' referrer.
      fields.push([name, splitPreviewToken(field[1]).target]);
      continue;
    }
    fields.push(field);
  }
  if (!hasRequestId) fields.push(["x-request-id", input.requestId]);
  fields.push(
    ["x-daytona-authorization", `Bearer ${input.runnerKey}`],
    ["x-forwarded-host", forwarded.host],
    ["x-forwarded-proto", forwarded.proto],
    ["x-forwarded-for", forwarded.for],
  );
  return fields;
}
