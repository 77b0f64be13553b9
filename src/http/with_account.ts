/** What every exchange of the data plane has around it: a place in the registry, an account, and one catch for all failures. */
import type { Fields } from "../lib/fields.ts";
import type { CorsMode } from "../config.ts";
import { GatewayError } from "../errors.ts";
import type { RouteKind } from "../observability/access_log.ts";
import { type AddressRange, isTrusted } from "../proxy/client_address.ts";
import { corsDecision } from "../proxy/cors.ts";
import type { InFlight } from "../proxy/in_flight.ts";
import { Account, type AccountOptions } from "./account.ts";
import type { Exchange } from "./exchange.ts";
import { checkHead, type HeadLimits } from "./head_limits.ts";

/** What is the same for all exchanges. */
export interface WithAccountOptions extends AccountOptions {
  readonly corsMode: CorsMode;
  readonly trustedProxies: readonly AddressRange[];
  readonly inFlight: InFlight;
  readonly headLimits: HeadLimits;
}

/** What an exchange is, as far as its surroundings are concerned. */
export interface ExchangeKind {
  readonly route: RouteKind;
  /** The port of the sandbox, where there is one. */
  readonly port: number | undefined;
  /** The address to hold responsible. */
  readonly clientAddress: string;
  /** Whether pages of an origin are trusted with the browser's credentials. */
  readonly isTrustedOrigin: (origin: string) => boolean;
}

/** Answers an exchange by `work`, and by what that throws; never rejects. */
export type WithAccount = (
  exchange: Exchange,
  kind: ExchangeKind,
  work: (account: Account) => Promise<Response>,
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
  const { inFlight } = options;
  return async function withAccount(exchange, kind, work) {
    const { headers } = exchange;
    const { route, port, clientAddress } = kind;
    const cors = corsDecision({
      mode: options.corsMode,
      headers,
      isTrusted: kind.isTrustedOrigin,
    });
    const isUse = route !== "build_logs" && !skipsActivity(headers);
    const tellsTiming = mayAskForTiming(
      headers,
      clientAddress,
      options.trustedProxies,
    );
    const flight = inFlight.begin();
    const account = new Account(
      exchange,
      { route, port, flight, cors, isUse, tellsTiming },
      options,
    );
    try {
      if (flight === undefined) {
        throw new GatewayError("overloaded", "Too many exchanges");
      }
      checkHead(exchange, options.headLimits);
      return await work(account);
    } catch (error) {
      return account.refuse(error);
    }
  };
}
