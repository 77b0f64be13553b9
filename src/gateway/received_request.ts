/** A request as the gateway has received it, whatever becomes of it: facts that do not change. */
import type { ClientInfo } from "../downstream/http/forwarded.ts";
import type { RepliedRequest } from "../downstream/http/reply.ts";
import { type RequestTrace, traceIdIn } from "../observability/traces.ts";

/** What an exchange begins with. */
export interface ReceivedRequest extends RepliedRequest {
  readonly id: string;
  readonly method: string;
  /** `host[:port]` as received. */
  readonly authority: string;
  /** The request-target, byte for byte. */
  readonly target: string;
  readonly client: ClientInfo;
  readonly trace?: RequestTrace | undefined;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

/** The id of the trace that a request is part of; undefined if it is part of none. */
export function traceIdOf(
  { trace, headers }: Pick<ReceivedRequest, "trace" | "headers">,
): string | undefined {
  return trace?.traceId ?? traceIdIn(headers.get("traceparent"));
}
