/** Runs every exchange of the data plane: with an entry in the registry, a tracker, and one catch for all failures. */
import type { CorsMode } from "../config/config.ts";
import { GatewayError } from "../errors.ts";
import type { RequestHeaders } from "../lib/headers.ts";
import type { RouteKind } from "../observability/access_log.ts";
import { corsDecision } from "../proxy/cors.ts";
import { type AddressRange, isTrusted } from "../proxy/forwarded.ts";
import type { InFlight, InFlightEntry } from "../proxy/in_flight.ts";
import type { Exchange } from "./exchange.ts";
import { ExchangeTracker, type TrackerOptions } from "./exchange_tracker.ts";
import { checkHead, type RequestHeadLimits } from "./head_limits.ts";

/** Dependencies of {@linkcode createTrackExchange}. */
export interface TrackExchangeOptions extends TrackerOptions {
  readonly corsMode: CorsMode;
  readonly trustedProxies: readonly AddressRange[];
  readonly inFlight: InFlight;
  readonly headLimits: RequestHeadLimits;
}

/** What of an exchange depends on its route. */
export interface ExchangeKind {
  readonly route: RouteKind;
  /** The port of the sandbox, if there is one. */
  readonly port: number | undefined;
  /** Whether pages of an origin may use the browser's credentials. */
  readonly isTrustedOrigin: (origin: string) => boolean;
}

/** Answers an exchange with what `handler` returns, or with the failure that it throws; never rejects. */
export type TrackExchange = (
  exchange: Exchange,
  kind: ExchangeKind,
  handler: (tracker: ExchangeTracker) => Promise<Response>,
) => Promise<Response>;

/** Stands in for an entry in the registry that was refused. */
const UNREGISTERED: InFlightEntry = {
  reserveFor: () => false,
  reserveTunnel: () => false,
  setHandle() {},
  end() {},
};

/** Whether the client asks for timings and may see them: only from a trusted address, whose owner may read the logs. */
function maySeeTiming(
  headers: RequestHeaders,
  clientAddress: string,
  trusted: readonly AddressRange[],
): boolean {
  return trusted.length > 0 && headers.has("x-porthole-debug") &&
    isTrusted(clientAddress, trusted);
}

function skipsActivity(headers: RequestHeaders): boolean {
  return headers.get("x-daytona-skip-last-activity-update") === "true";
}

/** Creates the function that runs exchanges. */
export function createTrackExchange(
  options: TrackExchangeOptions,
): TrackExchange {
  const { corsMode, trustedProxies, inFlight, headLimits } = options;
  return async function trackExchange(exchange, kind, handler) {
    const { headers, from } = exchange;
    const { route, port } = kind;
    const entry = inFlight.begin();
    const tracker = new ExchangeTracker(exchange, {
      route,
      port,
      entry: entry ?? UNREGISTERED,
      cors: corsDecision({
        mode: corsMode,
        headers,
        isTrusted: kind.isTrustedOrigin,
      }),
      isUse: route !== "build_logs" && !skipsActivity(headers),
      sendsTiming: maySeeTiming(headers, from.clientAddress, trustedProxies),
    }, options);
    try {
      if (entry === undefined) {
        throw new GatewayError("overloaded", "Too many exchanges");
      }
      checkHead(exchange, headLimits);
      return await handler(tracker);
    } catch (error) {
      return tracker.refuse(error);
    }
  };
}
