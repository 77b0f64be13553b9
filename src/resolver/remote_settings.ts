/** Base domains and identity providers: what the configuration leaves open is the API's, and learned at runtime. */
import type { Config } from "../config/config.ts";
import type { DaytonaApi, RemoteConfig } from "../daytona/api.ts";
import type { ProxyRole } from "../daytona/proxy_role.ts";
import { proxyDomainOf } from "../daytona/remote_config.ts";
import { isExposedHttp } from "../http/url.ts";
import { backoffMs, sleep } from "../lib/backoff.ts";
import { describeError } from "../lib/describe_error.ts";

/** The gateway's registration with an identity provider; a trailing slash of the issuer is ignored. */
export interface OidcSettings extends Readonly<Config["oidc"]> {
  readonly issuer: string;
  readonly clientId: string;
}

/** The installation's identity providers, as far as they are known. */
export type OidcState =
  /** Until the API has answered. */
  | { readonly kind: "unknown" }
  | { readonly kind: "off" }
  | {
    readonly kind: "on";
    readonly settings: OidcSettings;
    /** For members of organizations with single sign-on. */
    readonly sso?: OidcSettings | undefined;
  };

const BACKOFF = { baseMs: 1000, maxMs: 10_000 };

/** Time between two looks for a change at the API, ms: with a failed one between them, it is noticed in 5 minutes. */
const LOOK_EVERY_MS = 240_000;

/** Time between a look that failed and the next one, ms. */
const LOOK_AGAIN_MS = 20_000;

interface RemoteSettingsOptions {
  readonly api: Pick<DaytonaApi, "config">;
  /** What the API takes the gateway for; undefined if it does not tell now. */
  readonly role: () => Promise<ProxyRole | undefined>;
  readonly warn: (message: string, facts?: Record<string, unknown>) => void;
}

export class RemoteSettings {
  readonly #config: Config["oidc"];
  readonly #options: RemoteSettingsOptions;
  /** Lower case, without ports, longest first; empty until they are known. */
  baseDomains: readonly string[];
  /** The identity providers; the settings of one that has not changed stay the same object. */
  oidc: OidcState;
  /** Where people see their sandboxes; undefined if the API has not told. */
  dashboardUrl: string | undefined;
  /** The issuers of Daytona's own users, whoever may log in here; none until the API has told. */
  issuers: readonly string[] = [];
  /** The domains of the API's preview links that the operator was told of. */
  readonly #otherDomains = new Set<string>();
  /** True if the configuration leaves nothing open. */
  readonly #isConfigured: boolean;
  /** True if domains and identity providers of the API are somebody else's: none of them is the gateway's. */
  readonly #isHosted: boolean;

  constructor(
    config: Pick<Config, "public" | "oidc" | "daytona" | "login">,
    options: RemoteSettingsOptions,
  ) {
    this.#config = config.oidc;
    this.#options = options;
    // Longest first: with `example.com` and `preview.example.com`, a host under the latter belongs to the latter.
    this.baseDomains = config.public.domains
      .map(({ name }) => name)
      .toSorted((a, b) => b.length - a.length);
    this.#isHosted = config.daytona.mode === "hosted";
    const { allow, byLabel } = config.login;
    const isForNobody = this.#isHosted && allow === undefined && !byLabel;
    const settings = isForNobody ? null : oidcSettings(config.oidc, null);
    this.#isConfigured = settings !== null;
    this.oidc = settings === null
      ? { kind: this.#isHosted ? "off" : "unknown" }
      : { kind: "on", settings };
  }

  /** Asks the API, at least once, until nothing is missing or `signal` aborts; never rejects. */
  async learn(signal: AbortSignal): Promise<void> {
    for (let failed = 1; !signal.aborted; failed++) {
      try {
        await this.#ask();
        if (this.baseDomains.length > 0) return;
        this.#options.warn(
          "the API's proxyTemplateUrl names no domain: set PROXY_DOMAIN",
        );
      } catch (error) {
        if (signal.aborted) return;
        this.#options.warn(
          "the Daytona API cannot be asked yet: check DAYTONA_API_URL",
          { reason: describeError(error) },
        );
      }
      await sleep(backoffMs(failed, BACKOFF), signal).catch(() => {});
    }
  }

  /** Asks the API now and then whether its identity providers have changed, until `signal` aborts; never rejects. */
  async follow(signal: AbortSignal): Promise<void> {
    let pauseMs = LOOK_EVERY_MS;
    while (!signal.aborted) {
      await sleep(pauseMs, signal).catch(() => {});
      if (signal.aborted) return;
      // If that fails, what is known stands; /ready says that the API fails.
      const isTold = await this.#ask().then(() => true, () => false);
      pauseMs = isTold ? LOOK_EVERY_MS : LOOK_AGAIN_MS;
    }
  }

  /** Fills in what the configuration leaves open. */
  async #ask(): Promise<void> {
    const remote = await this.#options.api.config();
    this.dashboardUrl = webAddress(remote.dashboardUrl);
    this.issuers = [remote.oidc, remote.ssoOidc]
      .flatMap((provider) => provider?.issuer ?? []);
    if (this.#isHosted) return;
    this.#takeProviders(remote);
    const domain = proxyDomainOf(remote.proxyTemplateUrl ?? "")?.domain;
    if (domain !== undefined) await this.#takeDomain(domain);
  }

  #takeProviders({ oidc, ssoOidc }: RemoteConfig): void {
    const before = this.oidc.kind === "on" ? this.oidc : undefined;
    const told = this.#isConfigured ? null : oidcSettings(this.#config, oidc);
    const settings = unlessSame(before?.settings, told) ?? before?.settings;
    if (settings === undefined) {
      this.oidc = { kind: "off" };
      return;
    }
    const second = ssoOidc?.issuer === settings.issuer ? null : ssoOidc;
    const sso = unlessSame(before?.sso, ssoSettings(this.#config, second));
    this.oidc = { kind: "on", settings, sso };
    if (settings !== before?.settings) this.#checkIssuer(settings);
    if (before !== undefined && settings !== before.settings) {
      this.#options.warn(
        "the API names another identity provider: logins begin there from now on",
        { issuer: settings.issuer },
      );
    }
    if (sso !== undefined && sso !== before?.sso) this.#checkIssuer(sso);
  }

  #checkIssuer({ issuer, allowInsecure }: OidcSettings): void {
    if (allowInsecure || !isExposedHttp(issuer)) return;
    this.#options.warn(
      "the API's identity provider is plain http on another machine: nobody can log in unless OIDC_ALLOW_INSECURE is true",
      { issuer },
    );
  }

  async #takeDomain(domain: string): Promise<void> {
    if (this.baseDomains.length === 0) this.baseDomains = [domain];
    const known = [...this.baseDomains, ...this.#otherDomains];
    if (known.includes(domain)) return;
    this.#otherDomains.add(domain);
    // The template is of the installation; links to a region's sandboxes lead to the region's own proxy.
    if (await this.#options.role() === "region") return;
    this.#options.warn(
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

/** The settings for logins by single sign-on; null if the API names no issuer for them. */
export function ssoSettings(
  { scope, allowInsecure }: Config["oidc"],
  remote: RemoteConfig["ssoOidc"],
): OidcSettings | null {
  // The rest of what is configured is the other provider's.
  return remote && {
    ...remote,
    publicIssuer: undefined,
    clientSecret: undefined,
    audience: undefined,
    scope,
    allowInsecure,
  };
}

/** A URL that a page may link; undefined if the text is none. */
function webAddress(text: string | null): string | undefined {
  const url = URL.parse(text ?? "");
  return url !== null && /^https?:$/.test(url.protocol) ? url.href : undefined;
}

/** `before` if `now` says the same, otherwise `now`. */
function unlessSame(
  before: OidcSettings | undefined,
  now: OidcSettings | null,
): OidcSettings | undefined {
  const isSame = JSON.stringify(before) === JSON.stringify(now ?? undefined);
  return isSame ? before : now ?? undefined;
}
