/** What an OpenID provider says of itself (OpenID Connect Discovery 1.0), asked for seldom. */
import * as oauth from "oauth4webapi";
import { unavailable } from "./login_error.ts";

/** How long the discovery document and the keys hold, ms. */
export const DISCOVERY_TTL_MS = 3_600_000;

/** Least time between two discoveries, whatever makes one look necessary, ms. */
const DISCOVERY_PAUSE_MS = 5000;

/** How recent an answer must be to tell that the provider is there, ms. */
const CHECK_PAUSE_MS = 20_000;

/** What was said last. */
interface Statement {
  readonly at: number;
  /** Milliseconds. */
  holds: number;
  readonly server: Promise<oauth.AuthorizationServer>;
}

/** The lookup for one issuer; both throw {@linkcode GatewayError} `login_unavailable`. */
export interface Discovery {
  /** What the provider says of itself; with `anew`, what it says now. Throws where it has never said anything. */
  server(anew?: boolean): Promise<oauth.AuthorizationServer>;
  /** Throws where it does not answer: asks it, unless it has spoken lately. */
  check(): Promise<void>;
}

/** Creates the lookup for one issuer. */
export function createDiscovery(
  issuer: string,
  options: {
    requestOptions: () => oauth.HttpRequestOptions<"GET">;
    now: () => number;
  },
): Discovery {
  const { requestOptions, now } = options;
  let discovery: Statement | undefined;

  async function discover(): Promise<oauth.AuthorizationServer> {
    const response = await oauth.discoveryRequest(
      new URL(issuer),
      requestOptions(),
    );
    // Issuers are compared to the letter, but whether one ends in a slash is what people get wrong.
    const { issuer: own } = await response.clone().json();
    const isSame = typeof own === "string" &&
      own.replace(/\/$/, "") === issuer.replace(/\/$/, "");
    return await oauth.processDiscoveryResponse(
      new URL(isSame ? own : issuer),
      response,
    );
  }

  function server(anew = false): Promise<oauth.AuthorizationServer> {
    const age = discovery === undefined ? Infinity : now() - discovery.at;
    const holds = anew ? DISCOVERY_PAUSE_MS : discovery?.holds ?? 0;
    if (discovery === undefined || age >= holds) {
      const previous = discovery?.server;
      const next: Statement = discovery = {
        at: now(),
        holds: DISCOVERY_TTL_MS,
        server: discover().catch((error) => {
          next.holds = DISCOVERY_PAUSE_MS;
          // A provider whose metadata cannot be had is still the one that is known.
          if (previous !== undefined) return previous;
          throw unavailable(error);
        }),
      };
    }
    return discovery.server;
  }

  return {
    server,
    async check() {
      if (discovery === undefined || now() - discovery.at < CHECK_PAUSE_MS) {
        await server();
        return;
      }
      try {
        await discover();
      } catch (error) {
        throw unavailable(error);
      }
    },
  };
}
