/** An OpenID provider's metadata (OpenID Connect Discovery 1.0), fetched and cached. */
import * as oauth from "oauth4webapi";
import {
  internalEndpoint,
  isIssuer,
  type IssuerAddresses,
} from "./issuer_addresses.ts";
import { providerUnavailable } from "./login_error.ts";

/** The time that the metadata and the signing keys are cached, ms. */
export const DISCOVERY_TTL_MS = 3_600_000;

/** Minimum time between two discovery requests, whatever asks for one, ms. */
const DISCOVERY_PAUSE_MS = 5000;

/** Longest time for which {@linkcode Discovery.check} takes an answer for a proof, ms. */
export const CHECKED_WITHIN_MS = DISCOVERY_PAUSE_MS;

/** The endpoints that a login uses; the library takes them for URLs without a check. */
const ENDPOINTS = [
  "authorization_endpoint",
  "token_endpoint",
  "jwks_uri",
  "userinfo_endpoint",
] as const;

/** A discovery request. */
interface Attempt {
  readonly startedAt: number;
  failed: boolean;
  readonly metadata: Promise<oauth.AuthorizationServer>;
}

/** Discovery for one issuer. */
export class Discovery {
  readonly #addresses: IssuerAddresses;
  readonly #requestOptions: () => oauth.HttpRequestOptions<"GET">;
  readonly #now: () => number;
  #latest: Attempt | undefined;
  #lastMetadata: oauth.AuthorizationServer | undefined;
  #answeredAt = -Infinity;

  /** `now` is in ms since the epoch. */
  constructor(
    addresses: IssuerAddresses,
    options: {
      readonly requestOptions: () => oauth.HttpRequestOptions<"GET">;
      readonly now: () => number;
    },
  ) {
    this.#addresses = addresses;
    this.#requestOptions = options.requestOptions;
    this.#now = options.now;
  }

  /**
   * The provider's metadata, at most {@linkcode DISCOVERY_TTL_MS} old; with `refresh`, or after a failure, at most
   * {@linkcode DISCOVERY_PAUSE_MS}. Falls back to the last known metadata if it cannot be fetched.
   *
   * @throws {GatewayError} `login_unavailable` if it could never be fetched
   */
  async server(refresh = false): Promise<oauth.AuthorizationServer> {
    // Neither a check under way nor one that failed puts what is known in doubt.
    if (
      !refresh && this.#lastMetadata !== undefined &&
      this.#isRecent(this.#answeredAt, DISCOVERY_TTL_MS)
    ) return this.#lastMetadata;
    const isDoubtful = refresh || this.#latest?.failed === true;
    try {
      return await this.#metadata(
        isDoubtful ? DISCOVERY_PAUSE_MS : DISCOVERY_TTL_MS,
      );
    } catch (error) {
      // A provider whose metadata cannot be fetched now is still the one that we know.
      if (this.#lastMetadata !== undefined) return this.#lastMetadata;
      throw providerUnavailable(error);
    }
  }

  /**
   * Checks that the provider is up, by a discovery request unless there was one just now.
   *
   * @throws {GatewayError} `login_unavailable` if it is not
   */
  async check(): Promise<void> {
    try {
      await this.#metadata(CHECKED_WITHIN_MS);
    } catch (error) {
      throw providerUnavailable(error);
    }
  }

  /** The metadata of the latest attempt, or of a new one if that is older than `maxAgeMs`. */
  #metadata(maxAgeMs: number): Promise<oauth.AuthorizationServer> {
    if (
      this.#latest === undefined ||
      !this.#isRecent(this.#latest.startedAt, maxAgeMs)
    ) this.#latest = this.#attempt();
    return this.#latest.metadata;
  }

  #attempt(): Attempt {
    const attempt: Attempt = {
      startedAt: this.#now(),
      failed: false,
      metadata: this.#discover().then((server) => {
        this.#answeredAt = this.#now();
        return this.#lastMetadata = server;
      }, (error) => {
        attempt.failed = true;
        throw error;
      }),
    };
    return attempt;
  }

  async #discover(): Promise<oauth.AuthorizationServer> {
    const addresses = this.#addresses;
    const { issuer } = addresses;
    const response = await oauth.discoveryRequest(
      new URL(issuer),
      this.#requestOptions(),
    );
    if (response.status !== 200) {
      await response.body?.cancel(); // a page for people, maybe
      throw new Error(`status ${response.status}`);
    }
    const text = await response.text();
    const { issuer: named } = JSON.parse(text);
    const isKnown = typeof named === "string" && isIssuer(named, addresses);
    const server = await oauth.processDiscoveryResponse(
      new URL(isKnown ? named : issuer),
      new Response(text, { headers: response.headers }),
    );
    for (const name of ENDPOINTS) {
      const url = server[name];
      if (url !== undefined && !URL.canParse(url)) {
        throw new TypeError(`'${name}' is not a URL`);
      }
    }
    const { token_endpoint, jwks_uri, userinfo_endpoint } = server;
    return {
      ...server,
      ...token_endpoint && {
        token_endpoint: internalEndpoint(token_endpoint, addresses),
      },
      ...jwks_uri && { jwks_uri: internalEndpoint(jwks_uri, addresses) },
      ...userinfo_endpoint && {
        userinfo_endpoint: internalEndpoint(userinfo_endpoint, addresses),
      },
    };
  }

  /** True if `at` is less than `ms` ago; a time in the future is not, since then the clock was set back. */
  #isRecent(at: number, ms: number): boolean {
    const age = this.#now() - at;
    return age >= 0 && age < ms;
  }
}
