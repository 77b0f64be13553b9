/** What an OpenID provider says of itself (OpenID Connect Discovery 1.0), asked for seldom. */
import * as oauth from "oauth4webapi";
import { unavailable } from "./login_error.ts";
import { type Addresses, forUs, isIssuer } from "./two_addresses.ts";

/** How long the discovery document and the keys hold, ms. */
export const DISCOVERY_TTL_MS = 3_600_000;

/** Least time between two discoveries, whatever makes one look necessary, ms. */
const DISCOVERY_PAUSE_MS = 5000;

/** How recent an answer must be to tell that the provider is there, ms. */
const CHECK_PAUSE_MS = 20_000;

/** What is used of it; the library takes each for a URL without a look. */
const ENDPOINTS = [
  "authorization_endpoint",
  "token_endpoint",
  "jwks_uri",
] as const;

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
  addresses: Addresses,
  options: {
    requestOptions: () => oauth.HttpRequestOptions<"GET">;
    now: () => number;
  },
): Discovery {
  const { issuer } = addresses;
  const { requestOptions, now } = options;
  let discovery: Statement | undefined;

  async function discover(): Promise<oauth.AuthorizationServer> {
    const response = await oauth.discoveryRequest(
      new URL(issuer),
      requestOptions(),
    );
    const { issuer: own } = await response.clone().json();
    const isOwn = typeof own === "string" && isIssuer(own, addresses);
    const server = await oauth.processDiscoveryResponse(
      new URL(isOwn ? own : issuer),
      response,
    );
    for (const name of ENDPOINTS) {
      const url = server[name];
      if (url !== undefined && !URL.canParse(url)) {
        throw new TypeError(`'${name}' is no URL`);
      }
    }
    const { token_endpoint, jwks_uri } = server;
    return {
      ...server,
      ...token_endpoint && { token_endpoint: forUs(token_endpoint, addresses) },
      ...jwks_uri && { jwks_uri: forUs(jwks_uri, addresses) },
    };
  }

  function server(anew = false): Promise<oauth.AuthorizationServer> {
    const age = discovery === undefined ? Infinity : now() - discovery.at;
    const holds = anew ? DISCOVERY_PAUSE_MS : discovery?.holds ?? 0;
    // A clock that was set back makes it none.
    if (discovery === undefined || age >= holds || age < 0) {
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
