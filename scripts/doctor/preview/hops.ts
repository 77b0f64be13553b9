/** The hops of a request for a preview, from outside in, and which of them an error code of the gateway names. */
import {
  ERROR_CODES,
  type ErrorCode,
  ERRORS,
} from "../../../src/error_codes.ts";

/** The hops, in the order in which a request passes them. */
export const HOPS = [
  "DNS",
  "certificate",
  "front",
  "gate",
  "API",
  "sandbox",
  "runner",
  "daemon",
  "port",
  "first byte",
  "WebSocket",
  "streaming",
] as const;

/** One of them. */
export type Hop = typeof HOPS[number];

/**
 * The codes by which a gateway says that the request got no further than a hop. Of all others, those that only the users
 * of a sandbox can do something about tell its state, and the rest are of the gate.
 */
const CODES: Partial<Record<Hop, readonly ErrorCode[]>> = {
  front: [
    "bad_host",
    "bad_target",
    "route_not_found",
    "unknown_domain",
    "method_not_allowed",
  ],
  API: ["api_unreachable", "api_throttled", "user_throttled"],
  sandbox: [
    "sandbox_not_found",
    "sandbox_deleted",
    "sandbox_evicted",
    "sandbox_not_placed",
  ],
  runner: [
    "container_not_found",
    "runner_unreachable",
    "runner_protocol_error",
    "runner_refused",
    "runner_not_ready",
    "runner_overloaded",
    "runner_unresponsive",
  ],
  daemon: ["toolbox_unreachable"],
  port: ["port_closed"],
  "first byte": ["runner_timeout"],
  WebSocket: ["app_refused_websocket", "too_many_tunnels"],
};

const HOP_OF_CODE: ReadonlyMap<string, Hop> = new Map<string, Hop>([
  ...ERROR_CODES.filter((code) => ERRORS[code].fault === "sandbox")
    .map((code) => [code, "sandbox"] as const),
  ...HOPS.flatMap((hop) =>
    (CODES[hop] ?? []).map((code) => [code, hop] as const)
  ),
]);

/**
 * The hop at which a request failed, by the gateway's `X-Porthole-Error`.
 *
 * @example
 * ```ts
 * hopOfCode("port_closed"); // "port"
 * hopOfCode("login_required"); // "gate"
 * ```
 */
export function hopOfCode(code: string): Hop {
  return HOP_OF_CODE.get(code) ?? "gate";
}
