/** What the client of Daytona's API is given, and what it tells. */
import type { Sleep } from "../lib/backoff.ts";
import type { ApiCallFacts } from "../observability/metrics/facts.ts";
import type { ApiQuota } from "./quota.ts";
import type { KeyVerdict } from "./service_key.ts";

/** What every call needs. */
export interface ApiCallerOptions {
  /** Fails every call in flight. */
  readonly closing: AbortSignal;
  /** Called once for every call, at its end. */
  readonly onCall: (call: ApiCallFacts) => void;
  /** Called for every answer that shows what the API makes of the gateway's own key. */
  readonly onKeyVerdict: (verdict: KeyVerdict) => void;
  /** What the API lets the gateway's own key ask; without a limit unless given. */
  readonly quota?: ApiQuota;
  /** Waits between attempts. */
  readonly sleep?: Sleep;
  readonly fetch?: (request: Request) => Promise<Response>;
}

/** All of it, besides the configuration. */
export interface DaytonaApiOptions extends ApiCallerOptions {
  /** Called whenever the API turns out to have no operation by which `isOwnedByUser()` could tell. */
  readonly onOwnersUntold: () => void;
  /** Called whenever the API does not show the gateway a sandbox because of the gateway's role. */
  readonly onSandboxHidden: () => void;
  /** Called with the region of each runner that the API tells the gateway of. */
  readonly onRunnerRegion?: (region: string) => void;
}
