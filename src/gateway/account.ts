/** What is told of one exchange: its use of the sandbox, its record, and what whoever sees exchanges may see. */
import type { Header } from "../http/headers.ts";
import type { ExchangeRecord } from "../observability/access_log.ts";
import type { RequestFacts } from "../observability/log.ts";
import type { ExchangeServices } from "./exchange_services.ts";
import type { Conclusion, Guest, Progress } from "./progress.ts";
import { type ReceivedRequest, traceIdOf } from "./received_request.ts";
import type { Route } from "./route.ts";

/** The exchange that is told of. */
export interface ToldExchange {
  readonly received: ReceivedRequest;
  readonly route: Route;
  readonly progress: Progress;
  readonly guest: Guest | undefined;
}

type AccountServices = Pick<
  ExchangeServices,
  "activity" | "observer" | "onRecord" | "now"
>;

export class Account {
  readonly #x: ToldExchange;
  readonly #services: AccountServices;
  #endUse: (() => void) | undefined;
  #isClosed = false;
  /** The head of the response, if anybody sees exchanges. */
  #responseHead: Iterable<Header> | undefined;

  constructor(x: ToldExchange, services: AccountServices) {
    this.#x = x;
    this.#services = services;
  }

  /** What the log says of the request. */
  get facts(): RequestFacts {
    const { received, route: { port }, guest } = this.#x;
    const traceId = traceIdOf(received);
    const { id: requestId } = received;
    return { requestId, sandboxId: guest?.sandboxId, port, traceId };
  }

  /** Notes use of the sandbox that is over already. */
  touch(): void {
    const { guest, route } = this.#x;
    if (guest === undefined || !route.isUse) return;
    this.#services.activity.touch(guest.sandboxId);
  }

  /** Notes use that lasts until the account is closed. */
  beginUse(): void {
    const { guest, route } = this.#x;
    if (guest === undefined || !route.isUse || this.#isClosed) return;
    this.#endUse = this.#services.activity.begin(guest.sandboxId);
  }

  /** Keeps the head of a response for who sees it. */
  noteHead(headers: Iterable<Header>, status: number): void {
    const { observer } = this.#services;
    if (observer?.wants({ status }) === true) this.#responseHead = headers;
  }

  /** True once the exchange is recorded. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Records the exchange, which is over. */
  close(status: number, isFromApp: boolean, conclusion: Conclusion): void {
    this.#isClosed = true;
    this.#endUse?.();
    const { now, onRecord } = this.#services;
    const record = recordOf(this.#x, status, isFromApp, conclusion, now());
    onRecord(record);
    this.show(record);
  }

  /** Shows whoever sees exchanges how far this one has come. */
  show(facts: Pick<ExchangeRecord, "status"> & Partial<ExchangeRecord>): void {
    const { observer } = this.#services;
    if (observer?.wants(facts) !== true) return;
    const { received, route, progress, guest } = this.#x;
    const { port, name, shownTarget: target } = route;
    // To who was not admitted, the sandbox is what the address names.
    const sandboxId = guest?.sandboxId ?? route.namedSandbox;
    if (sandboxId === undefined || port === undefined) return;
    observer.see(sandboxId, this.#x, () => ({
      requestId: received.id,
      method: received.method,
      port,
      by: guest?.by,
      receivedBytes: progress.receivedBytes,
      startedAt: received.startedAt,
      answeredAt: progress.answeredAt,
      ...facts,
      name,
      target,
      requestHeaders: received.headers,
      responseHeaders: this.#responseHead ?? [],
    }), facts);
  }
}

/** The record of an exchange that is over. */
function recordOf(
  { received, route, progress, guest }: ToldExchange,
  status: number,
  isFromApp: boolean,
  { end = "complete", reason, error, tunnel, sentBytes = 0 }: Conclusion,
  endedAt: number,
): ExchangeRecord {
  return {
    requestId: received.id,
    route: route.kind,
    method: received.method,
    status,
    end,
    isFromApp,
    reason,
    sandboxId: guest?.sandboxId,
    organizationId: progress.organizationId,
    port: route.port,
    name: route.name?.split(":")[0],
    clientAddress: received.client.clientAddress,
    by: guest?.by,
    subject: guest?.subject,
    traceId: traceIdOf(received),
    cache: progress.cache,
    error,
    tunnel,
    receivedBytes: progress.receivedBytes,
    sentBytes,
    startedAt: received.startedAt,
    resolvedAt: progress.resolvedAt,
    answeredAt: progress.answeredAt,
    endedAt,
  };
}
