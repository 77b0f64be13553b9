/**
 * The fields of the request to the runner. First everything goes that must not travel (hop-by-hop fields, the
 * client's Connection list, credentials, whatever claims to come from a proxy), then ours are set, so that nothing a
 * client sends can remove or precede one of them.
 */
import type { Fields } from "../lib/fields.ts";
import { splitAuthKey } from "../auth/auth_key.ts";
import { withoutOwnCookies } from "../auth/cookies.ts";
import { isHopByHop, nominatedFields } from "./hop_by_hop.ts";

/** Fields addressed to the gateway, or that only the gateway may set. */
const NEVER_FROM_CLIENT: ReadonlySet<string> = new Set([
  "content-length", // framing is decided by the transport
  "expect", // already answered by the front
  "forwarded",
  "host",
  "sec-websocket-extensions", // no extension is negotiated: see tunnel
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

/** What the runner is told about the request's origin. */
export interface Forwarded {
  /** The public host as the client sent it. */
  readonly host: string;
  readonly proto: "http" | "https";
  /** The chain of addresses that ends in the one that connected to us. */
  readonly for: string;
}

/** Input of {@linkcode requestFields}. */
export interface RequestFieldsInput {
  /** The client's fields; names are lower case. */
  readonly headers: Fields;
  /** The runner's authority. */
  readonly runnerHost: string;
  readonly runnerKey: string;
  readonly forwarded: Forwarded;
  /** Whether `Authorization` was the credential that opened the door: then it is not meant for the app. */
  readonly dropAuthorization: boolean;
  /** Becomes X-Request-Id where the client gave none. */
  readonly requestId: string;
}

/** The end-to-end fields to send upstream, in a fresh list; the client's `headers` are left as they are. */
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
      // Only navigations lose the key from their address: a stylesheet's fonts name it as their referrer.
      fields.push([name, splitAuthKey(field[1]).target]);
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
