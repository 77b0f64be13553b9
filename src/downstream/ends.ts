/** The ways in which exchanges end before their time, and what each of them is to the client and to the record. */
import type { ErrorCode } from "../errors.ts";
import type {
  ExchangeEnd,
  TunnelFacts,
} from "../observability/metrics/facts.ts";
import { StreamError } from "../stream/stream_error.ts";

export { CLIENT_CLOSED_REQUEST } from "../observability/metrics/facts.ts";

/** Why the gateway itself ends an exchange or tunnel. */
export type AbortReason =
  | "going_away" // the gateway is shutting down
  | "stalled" // the client has stopped reading
  | "access_revoked"
  | "evicted"; // too much is buffered, and nobody's share is larger

/** Close code and reason for each way to end a tunnel from our side (RFC 6455 section 7.4.1). */
export const TUNNEL_CLOSES: Readonly<
  Record<AbortReason, [code: number, reason: string]>
> = {
  going_away: [1001, "Gateway is restarting"],
  stalled: [1013, "Client does not read"],
  access_revoked: [1008, "Access has ended"],
  evicted: [1013, "Too much is buffered"],
};

/** The Close of a tunnel to a name that leads to another sandbox now: who reconnects gets there. */
export const MOVED: readonly [code: number, reason: string] = [
  1012,
  "Preview has moved",
];

/** Why the gateway itself ends an upload: also if it comes in too many small chunks. */
export type UploadAbortReason = AbortReason | "too_fine";

/** The error code for each way to end an upload from our side, before its response began. */
export const UPLOAD_ERRORS: Readonly<Record<UploadAbortReason, ErrorCode>> = {
  going_away: "shutting_down",
  stalled: "upload_stalled",
  access_revoked: "credential_invalid",
  evicted: "buffers_full",
  too_fine: "chunks_too_small",
};

/** How a tunnel ended: completely only if one of its sides closed it. */
export function tunnelEnd(
  { by, code }: Pick<TunnelFacts, "by" | "code">,
): ExchangeEnd {
  if (by === "gateway") return "aborted";
  if (code !== 1006) return "complete"; // the code of a connection that broke (RFC 6455 section 7.1.5)
  return by === "upstream" ? "upstream_failed" : "client_gone";
}

/** True if an exchange failed because its client disconnected, which is no error of ours. */
export function isClientGone(error: unknown): boolean {
  return error instanceof StreamError;
}
