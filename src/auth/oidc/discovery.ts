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

/** The last time that the provider was asked. */
interface Attempt {
  readonly at: number;
  failed: boolean;
  readonly answer: Promise<oauth.AuthorizationServer>;
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
  let latest: Attempt | undefined;
  let known: oauth.AuthorizationServer | undefined;
  let answeredAt = -Infinity;

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

  /** A time in the future is not recent: the clock was set back. */
  function isRecent(at: number, ms: number): boolean {
    const age = now() - at;
    return age >= 0 && age < ms;
  }

  /** Asks the provider, unless it was asked within the last `holdsMs`. */
  function ask(holdsMs: number): Promise<oauth.AuthorizationServer> {
    if (latest === undefined || !isRecent(latest.at, holdsMs)) {
      const attempt: Attempt = latest = {
        at: now(),
        failed: false,
        answer: discover().then((answer) => {
          answeredAt = now();
          return known = answer;
        }, (error) => {
          attempt.failed = true;
          throw error;
        }),
      };
    }
    return latest.answer;
  }

  return {
    async server(anew = false) {
      const isDoubtful = anew || latest?.failed === true;
      try {
        return await ask(isDoubtful ? DISCOVERY_PAUSE_MS : DISCOVERY_TTL_MS);
      } catch (error) {
        // A provider whose metadata cannot be fetched is still the one we know.
        if (known !== undefined) return known;
        throw unavailable(error);
      }
    },
    async check() {
      if (isRecent(answeredAt, CHECK_PAUSE_MS)) return;
      try {
        await ask(DISCOVERY_PAUSE_MS);
      } catch (error) {
        throw unavailable(error);
      }
    },
  };
}
