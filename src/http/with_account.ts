/** What every exchange of the data plane has around it: a place in the registry, an account, and one catch for all failures. */
import type { Fields } from "../lib/fields.ts";
import type { CorsMode } from "../config.ts";
import { GatewayError } from "../errors.ts";
import type { ExchangeRecord, RouteKind } from "../observability/access_log.ts";
import type { Logger } from "../observability/log.ts";
import { createTrail } from "../observability/trail.ts";
import type { Activity } from "../proxy/activity.ts";
import { type AddressRange, isTrusted } from "../proxy/client_address.ts";
import { type CorsDecision, corsDecision } from "../proxy/cors.ts";
import type { InFlight } from "../proxy/in_flight.ts";
import { type Account, openAccount } from "./account.ts";
import type { Exchange } from "./exchange.ts";
import { checkHead, type HeadLimits } from "./head_limits.ts";

/** What is the same for all exchanges. */
export interface WithAccountOptions {
  readonly corsMode: CorsMode;
  readonly trustedProxies: readonly AddressRange[];
  readonly activity: Activity;
  readonly inFlight: InFlight;
  readonly headLimits: HeadLimits;
  readonly onRecord: (record: ExchangeRecord) => void;
  readonly logger: Logger;
  readonly now: () => number;
}

/** What an exchange is, as far as its account is concerned. */
export interface AccountFacts {
  readonly route: RouteKind;
  /** The port of the sandbox, where there is one. */
  readonly port?: number;
  /** The address to hold responsible. */
  readonly clientAddress: string;
  /** Whether pages of an origin are trusted with the browser's credentials. */
  readonly isTrustedOrigin: (origin: string) => boolean;
}

/** Answers an exchange by `work`, and by what that throws; never rejects. */
export type WithAccount = (
  exchange: Exchange,
  facts: AccountFacts,
  work: (account: Account, cors: CorsDecision) => Promise<Response>,
) => Promise<Response>;

/** Who asks to be told how long things took: only callers that could read the logs as well. */
function mayAskForTiming(
  headers: Fields,
  clientAddress: string,
  trusted: readonly AddressRange[],
): boolean {
  return trusted.length > 0 && headers.has("x-porthole-debug") &&
    isTrusted(clientAddress, trusted);
}

function skipsActivity(headers: Fields): boolean {
  return headers.get("x-daytona-skip-last-activity-update") === "true";
}

/** Creates the surroundings of exchanges. */
export function createWithAccount(options: WithAccountOptions): WithAccount {
  const { inFlight, onRecord, logger, now } = options;
  return async function withAccount(exchange, facts, work) {
    const { headers } = exchange;
    const cors = corsDecision({
      mode: options.corsMode,
      headers,
      isTrusted: facts.isTrustedOrigin,
    });
    const flight = inFlight.begin();
    const account = openAccount(exchange, {
      route: facts.route,
      port: facts.port,
      flight,
      trail: createTrail(),
      cors,
      activity: facts.route === "build_logs" || skipsActivity(headers)
        ? undefined
        : options.activity,
      tellsTiming: mayAskForTiming(
        headers,
        facts.clientAddress,
        options.trustedProxies,
      ),
      onRecord,
      logger,
      now,
    });
    try {
      if (flight === undefined) {
        throw new GatewayError("overloaded", "Too many exchanges");
      }
      checkHead(exchange, options.headLimits);
      return await work(account, cors);
    } catch (error) {
      return account.refuse(error);
    }
  };
}
