/** What watchers of a sandbox are told of an exchange. */
import type { ErrorCode } from "../../errors.ts";
import type { SeenExchange } from "../../gateway/observer.ts";
import type { HeaderList } from "../../http/headers.ts";
import type {
  ExchangeEnd,
  TunnelFacts,
} from "../../observability/metrics/facts.ts";
import { ERROR_TEXTS } from "../../pages/error_texts.ts";
import { redactHeaders, redactReason, redactTarget } from "./redact.ts";

/** An exchange as watchers are told of it, without credentials. Times are in ms. */
export interface InspectedExchange {
  /** The request's ID; a second event with the same one replaces the first. */
  readonly id: string;
  /** Since the epoch. */
  readonly startedAt: number;
  readonly method: string;
  readonly port: number | undefined;
  readonly target: string;
  readonly status: number;
  /** True as long as its response or its WebSocket lasts. */
  readonly isOpen: boolean;
  /** Until the head of the response was ready, and until the end. */
  readonly waitMs: number;
  readonly totalMs: number | undefined;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly end: ExchangeEnd | undefined;
  /** Why it did not end completely. */
  readonly reason: string | undefined;
  /** The gateway's error code, if the response is its own, and what that means. */
  readonly error: string | undefined;
  readonly explanation: string | undefined;
  /** What gave access. */
  readonly by: string | undefined;
  readonly tunnel: TunnelFacts | undefined;
  readonly requestHeaders: HeaderList;
  readonly responseHeaders: HeaderList;
}

/** What watchers are told of it. */
export function inspectedOf(facts: SeenExchange): InspectedExchange {
  const { method, port, status, startedAt, endedAt, error, reason } = facts;
  const { receivedBytes, sentBytes = 0, end, by, tunnel } = facts;
  return {
    id: facts.requestId,
    startedAt,
    method,
    port,
    target: redactTarget(facts.target),
    status,
    isOpen: endedAt === undefined,
    waitMs: facts.answeredAt - startedAt,
    totalMs: endedAt === undefined ? undefined : endedAt - startedAt,
    receivedBytes,
    sentBytes,
    end,
    reason: reason === undefined ? undefined : redactReason(reason),
    error,
    explanation: ERROR_TEXTS[error as ErrorCode]?.title,
    by,
    tunnel,
    requestHeaders: redactHeaders(facts.requestHeaders),
    responseHeaders: redactHeaders(facts.responseHeaders),
  };
}
