/** The gateway's registrations at the installation's OpenID providers, of which there are one or two. */
import * as oauth from "oauth4webapi";
import { GatewayError } from "../../errors.ts";
import type {
  OidcSettings,
  OidcState,
  RemoteSettings,
} from "../../resolver/remote_settings.ts";
import { Discovery } from "./discovery.ts";
import { providerUnavailable } from "./login_error.ts";

/** Tolerated difference between the provider's clock and ours, seconds. */
const CLOCK_TOLERANCE_SEC = 30;

interface Registration {
  readonly settings: OidcSettings;
  readonly client: oauth.Client;
  readonly discovery: Discovery;
}

/** A registration, and the metadata that its provider serves. */
export type Connection = Registration & {
  readonly as: oauth.AuthorizationServer;
};

/** The registrations at the providers that are known now. */
export class Registrations {
  readonly #remote: Pick<RemoteSettings, "oidc">;
  readonly #now: () => number;
  readonly #registrations = new WeakMap<OidcSettings, Registration>();

  /** `now` is in ms since the epoch. */
  constructor(remote: Pick<RemoteSettings, "oidc">, now: () => number) {
    this.#remote = remote;
    this.#now = now;
  }

  /** `on` if there is a provider, `unknown` until the API has told. */
  get state(): OidcState["kind"] {
    return this.#remote.oidc.kind;
  }

  get #on(): Extract<OidcState, { kind: "on" }> | undefined {
    const { oidc } = this.#remote;
    return oidc.kind === "on" ? oidc : undefined;
  }

  /** The issuer for single sign-on; undefined if there is none beside the standard one. */
  get ssoIssuer(): string | undefined {
    return this.#on?.sso?.issuer;
  }

  /** The issuer of logins without single sign-on; undefined unless the state is `on`. */
  get issuer(): string | undefined {
    return this.#on?.settings.issuer;
  }

  /** True for an issuer of the installation; undefined stands for the standard one. */
  knows(issuer: string | undefined): boolean {
    return issuer === undefined || issuer === this.issuer ||
      issuer === this.ssoIssuer;
  }

  /** The registration at an issuer, with the metadata that it serves; throws `login_expired` if it is not known. */
  async connect(issuer: string | undefined): Promise<Connection> {
    const registration = this.#registered(issuer);
    return { ...registration, as: await registration.discovery.server() };
  }

  /** Throws `login_unavailable` if a provider does not serve its metadata. */
  async check(): Promise<void> {
    const issuers = new Set([this.issuer, this.ssoIssuer ?? this.issuer]);
    const known = [...issuers].map((issuer) => this.#registered(issuer));
    await Promise.all(known.map(({ discovery }) => discovery.check()));
  }

  /** The registration at an issuer, the standard one by default; throws `login_expired` if that is not known. */
  #registered(issuer: string | undefined): Registration {
    const oidc = this.#on;
    if (oidc === undefined) {
      throw providerUnavailable(new Error("No provider is known"));
    }
    if (!this.knows(issuer)) {
      throw new GatewayError("login_expired", "Begun at another issuer");
    }
    const settings = issuer !== undefined && issuer === oidc.sso?.issuer
      ? oidc.sso
      : oidc.settings;
    const known = this.#registrations.get(settings);
    if (known !== undefined) return known;
    const registration = {
      settings,
      client: {
        client_id: settings.clientId,
        [oauth.clockTolerance]: CLOCK_TOLERANCE_SEC,
      },
      discovery: new Discovery(settings, this.#now),
    };
    this.#registrations.set(settings, registration);
    return registration;
  }
}

/** How the gateway shows at an issuer who it is. */
export function clientAuth(
  as: oauth.AuthorizationServer,
  { clientSecret }: OidcSettings,
): oauth.ClientAuth {
  if (clientSecret === undefined) return oauth.None();
  const methods = as.token_endpoint_auth_methods_supported;
  return methods === undefined || methods.includes("client_secret_basic")
    ? oauth.ClientSecretBasic(clientSecret)
    : oauth.ClientSecretPost(clientSecret);
}
