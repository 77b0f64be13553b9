/** Who sees exchanges while they are under way, as the owner of a sandbox may. */
import type { Header } from "../http/headers.ts";
import type { ExchangeRecord } from "../observability/access_log.ts";

/** An exchange as far as it has come; what is known only at its end is undefined until then. */
export interface SeenExchange extends
  Pick<
    ExchangeRecord,
    | "requestId"
    | "method"
    | "port"
    | "status"
    | "by"
    | "receivedBytes"
    | "startedAt"
    | "answeredAt"
  >,
  Partial<
    Pick<
      ExchangeRecord,
      "tunnel" | "sentBytes" | "reason" | "end" | "endedAt" | "error"
    >
  > {
  /** The name that was asked for in place of a preview host, with its port; undefined if none was. */
  readonly name: string | undefined;
  /** The request-target without what is meant for the gateway. */
  readonly target: string;
  readonly requestHeaders: Iterable<Header>;
  readonly responseHeaders: Iterable<Header>;
}

/** True if an exchange has failed, whoever's fault it is: answered 5xx, or broken off by the app or runner. */
export function isFailure(
  { status = 0, end }: Pick<Partial<ExchangeRecord>, "status" | "end">,
): boolean {
  return status >= 500 || end === "upstream_failed";
}

/** Sees the exchanges with ports of sandboxes. */
export interface ExchangeObserver {
  /** False if nobody looks at an exchange that is as far: then nothing is prepared for it. */
  wants(progress: Pick<Partial<ExchangeRecord>, "status" | "end">): boolean;
  /** Called once the response has begun, if it lasts, and once the exchange is over; `exchange` is the same object. */
  see(
    sandboxId: string,
    exchange: WeakKey,
    facts: () => SeenExchange,
    progress: Pick<SeenExchange, "status" | "end" | "endedAt">,
  ): void;
}
