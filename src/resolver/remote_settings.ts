/**
 * What is known about the installation: the base domains of previews, and the identity provider. What the configuration
 * leaves open is fetched from the API, while the gateway already runs.
 */
import type { Config } from "../config/config.ts";
import type { DaytonaApi, RemoteConfig } from "../daytona/api.ts";
import { proxyDomainOf } from "../daytona/remote_config.ts";
import { backoffMs, type Sleep, sleep as realSleep } from "../lib/backoff.ts";
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
  /** Whether plain http is accepted even on another machine. */
  readonly allowInsecure: boolean;
}

/** Whether the installation has an identity provider. */
export type OidcState =
  /** Until the API has answered. */
  | { readonly kind: "unknown" }
  | { readonly kind: "off" }
  | { readonly kind: "on"; readonly settings: OidcSettings };

/** Facts about the installation, as far as they are known yet. */
export interface RemoteSettings {
  /** Lower case, without ports, longest first; empty until they are known. */
  baseDomains(): readonly string[];
  oidc(): OidcState;
  /** Asks the API, at least once, until nothing is missing or `signal` aborts; never rejects. */
  learn(signal: AbortSignal): Promise<void>;
}

/** Backoff between two calls while the API does not answer. */
const BACKOFF = { baseMs: 1000, maxMs: 10_000 };

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

/** Creates the holder of these facts. */
export function createRemoteSettings(
  config: Pick<Config, "public" | "oidc">,
  { api, warn, sleep = realSleep, random = Math.random }: {
    api: Pick<DaytonaApi, "config">;
    /** Tells the operator. */
    warn: (message: string, facts?: Record<string, unknown>) => void;
    sleep?: Sleep;
    random?: () => number;
  },
): RemoteSettings {
  // Longest first: with `example.com` and `preview.example.com`, a host under the latter belongs to the latter.
  let domains: readonly string[] = config.public.domains
    .map(({ name }) => name)
    .toSorted((a, b) => b.length - a.length);
  const configured = oidcSettings(config.oidc, null);
  let oidc: OidcState = configured === null
    ? { kind: "unknown" }
    : { kind: "on", settings: configured };

  /** Takes what the API tells; returns whether that completes what is known. */
  function take(remote: RemoteConfig): boolean {
    if (oidc.kind === "unknown") {
      const settings = oidcSettings(config.oidc, remote.oidc);
      oidc = settings === null ? { kind: "off" } : { kind: "on", settings };
      if (settings !== null) checkIssuer(settings);
    }
    const domain = proxyDomainOf(remote.proxyTemplateUrl ?? "")?.domain;
    if (domain !== undefined) takeDomain(domain);
    return domains.length > 0;
  }

  function checkIssuer({ issuer, allowInsecure }: OidcSettings): void {
    if (allowInsecure || !isExposedHttp(issuer)) return;
    warn(
      "the API's identity provider is plain http on another machine: nobody can log in unless OIDC_ALLOW_INSECURE is true",
      { issuer },
    );
  }

  function takeDomain(domain: string): void {
    if (domains.length === 0) domains = [domain];
    if (domains.includes(domain)) return;
    warn(
      `the API's preview links lead to ${domain}, which is not in PROXY_DOMAIN`,
    );
  }

  return {
    baseDomains: () => domains,
    oidc: () => oidc,
    async learn(signal) {
      for (let failed = 1; !signal.aborted; failed++) {
        try {
          if (take(await api.config())) return;
          warn(
            "the API's proxyTemplateUrl names no domain: set PROXY_DOMAIN",
          );
        } catch (error) {
          if (signal.aborted) return;
          warn(
            "the Daytona API cannot be asked yet: check DAYTONA_API_URL",
            { reason: describeError(error) },
          );
        }
        await sleep(backoffMs(failed, BACKOFF, random), signal)
          .catch(() => {});
      }
    },
  };
}
