/** An exchange as the owner's view tells of it. */
import type { ErrorCode } from "../errors.ts";
import type { Header } from "../http/headers.ts";
import type { ExchangeRecord } from "../observability/access_log.ts";
import type { InspectedExchange } from "../observability/inspection/inspected_exchange.ts";
import {
  redactHeaders,
  redactReason,
  redactTarget,
} from "../observability/inspection/redact.ts";
import type { Share } from "../observability/inspection/watched_sandbox.ts";
import { ERROR_TEXTS } from "../pages/error_texts.ts";

/** The facts of an exchange, as far as it has come. */
export type InspectedFacts =
  & Pick<
    ExchangeRecord,
    | "requestId"
    | "method"
    | "port"
    | "status"
    | "by"
    | "receivedBytes"
    | "startedAt"
    | "answeredAt"
  >
  // As long as it lasts, the rest is not known.
  & Partial<
    Pick<
      ExchangeRecord,
      "tunnel" | "sentBytes" | "reason" | "end" | "endedAt" | "error"
    >
  >
  & {
    /** The request-target without what is meant for the gateway. */
    readonly target: string;
    readonly requestHeaders: Iterable<Header>;
    readonly responseHeaders: Iterable<Header>;
  };

/** The share of what is shown that an exchange takes: WebSockets, refusals and failures are notable. */
export function shareOf(
  { status, end = "complete" }: Pick<InspectedFacts, "status" | "end">,
): Share {
  return status === 101 || status >= 400 || end !== "complete"
    ? "notable"
    : "ordinary";
}

/** What watchers are told of it. */
export function inspectedOf(facts: InspectedFacts): InspectedExchange {
  const { startedAt, answeredAt, endedAt, error, reason } = facts;
  return {
    id: facts.requestId,
    startedAt,
    method: facts.method,
    port: facts.port,
    target: redactTarget(facts.target),
    status: facts.status,
    isOpen: endedAt === undefined,
    waitMs: answeredAt - startedAt,
    totalMs: endedAt === undefined ? undefined : endedAt - startedAt,
    receivedBytes: facts.receivedBytes,
    sentBytes: facts.sentBytes ?? 0,
    end: facts.end,
    reason: reason === undefined ? undefined : redactReason(reason),
    error,
    explanation: ERROR_TEXTS[error as ErrorCode]?.title,
    by: facts.by,
    tunnel: facts.tunnel,
    requestHeaders: redactHeaders(facts.requestHeaders),
    responseHeaders: redactHeaders(facts.responseHeaders),
  };
}
