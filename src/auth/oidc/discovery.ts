/** An OpenID provider's metadata (OpenID Connect Discovery 1.0), fetched and cached. */
import * as oauth from "oauth4webapi";
import { isLoopbackHttp } from "../../http/url.ts";
import type { OidcSettings } from "../../resolver/remote_settings.ts";
import { internalEndpoint, isIssuer } from "./issuer_addresses.ts";
import { providerUnavailable } from "./login_error.ts";

/** The time that the metadata and the signing keys are cached, ms. */
export const DISCOVERY_TTL_MS = 3_600_000;

/** Minimum time between two discovery requests, whatever asks for one, ms. */
const DISCOVERY_PAUSE_MS = 5000;

/** Longest time for which {@linkcode Discovery.check} takes an answer for a proof, ms. */
export const CHECKED_WITHIN_MS = DISCOVERY_PAUSE_MS;

/** Deadline for one request to the provider, ms. */
const REQUEST_TIMEOUT_MS = 10_000;

/** The endpoints that a login uses, and whose; the library takes them for URLs without a check. */
const ENDPOINTS = [
  { name: "authorization_endpoint", isForBrowsers: true },
  { name: "token_endpoint", isForBrowsers: false },
  { name: "jwks_uri", isForBrowsers: false },
  { name: "userinfo_endpoint", isForBrowsers: false },
] as const;

interface Attempt {
  readonly startedAt: number;
  failed: boolean;
  readonly metadata: Promise<oauth.AuthorizationServer>;
}

// deno-lint-ignore explicit-module-boundary-types -- the library's, by its symbols
export function requestOptions({ allowInsecure, issuer }: OidcSettings) {
  return {
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    [oauth.allowInsecureRequests]: allowInsecure || isLoopbackHttp(issuer),
  };
}

/** Discovery for one issuer. */
export class Discovery {
  readonly #settings: OidcSettings;
  readonly #now: () => number;
  #latest: Attempt | undefined;
  #lastMetadata: oauth.AuthorizationServer | undefined;
  #answeredAt = -Infinity;

  /** `now` is in ms since the epoch. */
  constructor(settings: OidcSettings, now: () => number) {
    this.#settings = settings;
    this.#now = now;
  }

  /**
   * The provider's metadata, at most {@linkcode DISCOVERY_TTL_MS} old; with `refresh`, or after a failure, at most
   * {@linkcode DISCOVERY_PAUSE_MS}. If it cannot be fetched, the last known, or `login_unavailable` if there is none.
   */
  async server(refresh = false): Promise<oauth.AuthorizationServer> {
    // Neither a check under way nor one that failed puts what is known in doubt.
    if (
      !refresh && this.#lastMetadata !== undefined &&
      this.#isRecent(this.#answeredAt, DISCOVERY_TTL_MS)
    ) return this.#lastMetadata;
    const isDoubtful = refresh || this.#latest?.failed === true;
    const maxAgeMs = isDoubtful ? DISCOVERY_PAUSE_MS : DISCOVERY_TTL_MS;
    try {
      return await this.#metadata(maxAgeMs);
    } catch (error) {
      // A provider whose metadata cannot be fetched now is still the one that we know.
      if (this.#lastMetadata !== undefined) return this.#lastMetadata;
      throw providerUnavailable(error);
    }
  }

  /** Throws `login_unavailable` if the provider is not up, by a discovery request unless there was one just now. */
  async check(): Promise<void> {
    await this.#metadata(CHECKED_WITHIN_MS).catch((error) => {
      throw providerUnavailable(error);
    });
  }

  /** The metadata of the latest attempt, or of a new one if that is older than `maxAgeMs`. */
  #metadata(maxAgeMs: number): Promise<oauth.AuthorizationServer> {
    const latest = this.#latest;
    if (latest !== undefined && this.#isRecent(latest.startedAt, maxAgeMs)) {
      return latest.metadata;
    }
    const attempt: Attempt = {
      startedAt: this.#now(),
      failed: false,
      metadata: this.#discover().catch((error) => {
        attempt.failed = true;
        throw error;
      }),
    };
    this.#latest = attempt;
    return attempt.metadata;
  }

  async #discover(): Promise<oauth.AuthorizationServer> {
    const settings = this.#settings;
    const { issuer } = settings;
    const options = requestOptions(settings);
    const response = await oauth.discoveryRequest(new URL(issuer), options);
    if (response.status !== 200) {
      await response.body?.cancel(); // a page for people, maybe
      throw new Error(`status ${response.status}`);
    }
    const text = await response.text();
    const { issuer: named } = JSON.parse(text);
    const isKnown = typeof named === "string" && isIssuer(named, settings);
    const server = await oauth.processDiscoveryResponse(
      new URL(isKnown ? named : issuer),
      new Response(text, { headers: response.headers }),
    );
    const endpoints: Record<string, string> = {};
    for (const { name, isForBrowsers } of ENDPOINTS) {
      const url = server[name];
      if (url === undefined) continue;
      if (!URL.canParse(url)) throw new TypeError(`'${name}' is not a URL`);
      if (!isForBrowsers) endpoints[name] = internalEndpoint(url, settings);
    }
    this.#answeredAt = this.#now();
    return this.#lastMetadata = { ...server, ...endpoints };
  }

  /** True if `at` is less than `ms` ago; a time in the future is not, since then the clock was set back. */
  #isRecent(at: number, ms: number): boolean {
    const age = this.#now() - at;
    return age >= 0 && age < ms;
  }
}
