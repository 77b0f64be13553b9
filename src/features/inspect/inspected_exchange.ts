/** What watchers of a sandbox are told of an exchange. */
import type { HeaderList } from "../../http/headers.ts";
import type {
  ExchangeEnd,
  TunnelFacts,
} from "../../observability/metrics/facts.ts";

/** An exchange as watchers are told of it, without credentials (see redact.ts). Times are in ms. */
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
