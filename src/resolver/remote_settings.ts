/**
 * The installation's base domains of previews and its identity provider. Whatever the configuration leaves open is
 * fetched from the API, while the gateway already runs.
 */
import type { Config } from "../config/config.ts";
import type { DaytonaApi, RemoteConfig } from "../daytona/api.ts";
import { proxyDomainOf } from "../daytona/remote_config.ts";
import { backoffMs, sleep } from "../lib/backoff.ts";
import { describeError } from "../lib/describe_error.ts";
import { isExposedHttp } from "../lib/url.ts";

/** The gateway's registration with an identity provider. */
export interface OidcSettings {
  /** As this process reaches it; a trailing slash is ignored. */
  readonly issuer: string;
  /** As browsers reach it, if that differs. */
  readonly publicIssuer: string | undefined;
  readonly clientId: string;
  /** Undefined for a public client. */
  readonly clientSecret: string | undefined;
  readonly audience: string | undefined;
  /** Space-separated, including `openid`. */
  readonly scope: string;
  /** True if plain http is accepted even on another machine. */
  readonly allowInsecure: boolean;
}

/** The installation's identity provider, as far as it is known. */
export type OidcState =
  /** Until the API has answered. */
  | { readonly kind: "unknown" }
  | { readonly kind: "off" }
  | { readonly kind: "on"; readonly settings: OidcSettings };

/** Backoff between two calls while the API does not answer. */
const BACKOFF = { baseMs: 1000, maxMs: 10_000 };

/** Facts about the installation, as far as they are known yet. */
export class RemoteSettings {
  readonly #config: Config["oidc"];
  readonly #api: Pick<DaytonaApi, "config">;
  readonly #warn: (message: string, facts?: Record<string, unknown>) => void;
  #baseDomains: readonly string[];
  #oidc: OidcState;

  constructor(
    config: Pick<Config, "public" | "oidc">,
    options: {
      readonly api: Pick<DaytonaApi, "config">;
      /** Tells the operator. */
      readonly warn: (message: string, facts?: Record<string, unknown>) => void;
    },
  ) {
    this.#config = config.oidc;
    this.#api = options.api;
    this.#warn = options.warn;
    // Longest first: with `example.com` and `preview.example.com`, a host under the latter belongs to the latter.
    this.#baseDomains = config.public.domains
      .map(({ name }) => name)
      .toSorted((a, b) => b.length - a.length);
    const settings = oidcSettings(config.oidc, null);
    this.#oidc = settings === null
      ? { kind: "unknown" }
      : { kind: "on", settings };
  }

  /** Lower case, without ports, longest first; empty until they are known. */
  get baseDomains(): readonly string[] {
    return this.#baseDomains;
  }

  /** The identity provider. */
  get oidc(): OidcState {
    return this.#oidc;
  }

  /** Asks the API, at least once, until nothing is missing or `signal` aborts; never rejects. */
  async learn(signal: AbortSignal): Promise<void> {
    for (let failed = 1; !signal.aborted; failed++) {
      try {
        this.#take(await this.#api.config());
        if (this.#baseDomains.length > 0) return;
        this.#warn(
          "the API's proxyTemplateUrl names no domain: set PROXY_DOMAIN",
        );
      } catch (error) {
        if (signal.aborted) return;
        this.#warn(
          "the Daytona API cannot be asked yet: check DAYTONA_API_URL",
          { reason: describeError(error) },
        );
      }
      await sleep(backoffMs(failed, BACKOFF), signal).catch(() => {});
    }
  }

  /** Fills in what the configuration leaves open. */
  #take(remote: RemoteConfig): void {
    if (this.#oidc.kind === "unknown") {
      const settings = oidcSettings(this.#config, remote.oidc);
      this.#oidc = settings === null
        ? { kind: "off" }
        : { kind: "on", settings };
      if (settings !== null) this.#checkIssuer(settings);
    }
    const domain = proxyDomainOf(remote.proxyTemplateUrl ?? "")?.domain;
    if (domain !== undefined) this.#takeDomain(domain);
  }

  #checkIssuer({ issuer, allowInsecure }: OidcSettings): void {
    if (allowInsecure || !isExposedHttp(issuer)) return;
    this.#warn(
      "the API's identity provider is plain http on another machine: nobody can log in unless OIDC_ALLOW_INSECURE is true",
      { issuer },
    );
  }

  #takeDomain(domain: string): void {
    if (this.#baseDomains.length === 0) this.#baseDomains = [domain];
    if (this.#baseDomains.includes(domain)) return;
    this.#warn(
      `the API's preview links lead to ${domain}, which is not in PROXY_DOMAIN`,
    );
  }
}

/** The login's settings, where configured ones take precedence; null if they do not name an issuer and a client. */
export function oidcSettings(
  configured: Config["oidc"],
  remote: RemoteConfig["oidc"],
): OidcSettings | null {
  const issuer = configured.issuer ?? remote?.issuer;
  const clientId = configured.clientId ?? remote?.clientId;
  if (issuer === undefined || clientId === undefined) return null;
  const audience = configured.audience ?? remote?.audience;
  return { ...configured, issuer, clientId, audience: audience || undefined };
}
