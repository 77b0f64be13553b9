/** An exchange as the owner's view tells of it. */
import type { ErrorCode } from "../../errors.ts";
import type { ExchangeObserver, SeenExchange } from "../../gateway/observer.ts";
import { ERROR_TEXTS } from "../../pages/error_texts.ts";
import type { InspectedExchange } from "./inspected_exchange.ts";
import type { Inspector } from "./inspector.ts";
import { redactHeaders, redactReason, redactTarget } from "./redact.ts";
import type { Share } from "./watched_sandbox.ts";

/** Shows the exchanges with a sandbox to whoever watches it. */
export class InspectObserver implements ExchangeObserver {
  readonly #inspector: Inspector;
  /** Those that watchers have been told of. */
  readonly #shown = new WeakSet<WeakKey>();

  constructor(inspector: Inspector) {
    this.#inspector = inspector;
  }

  get isIdle(): boolean {
    return this.#inspector.isIdle;
  }

  see(
    ...[sandboxId, exchange, facts, progress]: Parameters<
      ExchangeObserver["see"]
    >
  ): void {
    const watched = this.#inspector.watched(sandboxId);
    if (watched === undefined) return;
    if (!this.#shown.has(exchange) && !watched.takes(shareOf(progress))) {
      if (progress.endedAt !== undefined) watched.leaveOut();
      return;
    }
    this.#shown.add(exchange);
    watched.tell(inspectedOf(facts()));
  }
}

/** The share of what is shown that an exchange takes: WebSockets, refusals and failures are notable. */
function shareOf(
  { status, end = "complete" }: Pick<SeenExchange, "status" | "end">,
): Share {
  return status === 101 || status >= 400 || end !== "complete"
    ? "notable"
    : "ordinary";
}

/** What watchers are told of it. */
function inspectedOf(facts: SeenExchange): InspectedExchange {
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
