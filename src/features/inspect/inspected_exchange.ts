/** What watchers of a sandbox are told of an exchange. */
import type { ErrorCode } from "../../errors.ts";
import type { SeenExchange } from "../../gateway/observer.ts";
import { ERROR_TEXTS } from "../../pages/error_texts.ts";
import { redactHeaders, redactReason, redactTarget } from "./redact.ts";

export type InspectedExchange = ReturnType<typeof inspectedOf>;

/** What watchers are told of it; times are in ms. A second event with the same ID replaces the first. */
// deno-lint-ignore explicit-module-boundary-types -- its facts, by their names
export function inspectedOf(facts: SeenExchange) {
  const { method, port, status, startedAt, endedAt, error, reason } = facts;
  const { receivedBytes, sentBytes = 0, end, by, tunnel } = facts;
  return {
    id: facts.requestId,
    startedAt,
    method,
    port,
    name: facts.name,
    target: redactTarget(facts.target),
    status,
    // As long as its response or its WebSocket lasts.
    isOpen: endedAt === undefined,
    waitMs: facts.answeredAt - startedAt,
    totalMs: endedAt === undefined ? undefined : endedAt - startedAt,
    receivedBytes,
    sentBytes,
    end,
    reason: reason === undefined ? undefined : redactReason(reason),
    error,
    explanation: error && ERROR_TEXTS[error as ErrorCode]?.title,
    by,
    tunnel,
    requestHeaders: redactHeaders(facts.requestHeaders),
    responseHeaders: redactHeaders(facts.responseHeaders),
  };
}
