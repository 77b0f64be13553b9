/**
 * The OpenID provider, as a relying party sees it (OpenID Connect Core 1.0). Its metadata is discovered once per
 * {@linkcode DISCOVERY_TTL_MS} however many logins start, and its signing keys are cached as long as the metadata.
 */
import * as oauth from "oauth4webapi";
import { GatewayError } from "../../errors.ts";
import { isLoopbackHttp } from "../../http/url.ts";
import type {
  OidcSettings,
  OidcState,
  RemoteSettings,
} from "../../resolver/remote_settings.ts";
import { Discovery } from "./discovery.ts";
import { type Identity, identityIn, updatedBy } from "./identity.ts";
import { publicEndpoint } from "./issuer_addresses.ts";
import {
  discardResponse,
  loginError,
  providerUnavailable,
} from "./login_error.ts";

/** One attempt to log in, from the authorization request to the callback. */
export interface LoginAttempt {
  /** The issuer that it is made at; the standard one by default. */
  readonly issuer?: string | undefined;
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
  readonly redirectUri: string;
}

/** The tokens that the provider issues for a login, and again at every refresh. */
export interface Tokens {
  readonly accessToken: string;
  /** When the access token expires, ms since the epoch; undefined if the provider does not say. */
  readonly expiresAt: number | undefined;
  /** Who issued them; the standard issuer if undefined, as in states that older versions stored. */
  readonly issuer?: string | undefined;
  /** Absent if the provider issues none: then the login cannot outlive the access token. */
  readonly refreshToken?: string;
  /** The user's `sub`, as of the latest ID token; undefined in states that older versions stored. */
  readonly subject?: string | undefined;
  /** Who has logged in, where a rule of the operator asks for that. */
  readonly identity?: Identity | undefined;
}

/** Deadline for one request to the provider, ms. */
const REQUEST_TIMEOUT_MS = 10_000;

/** Age up to which an identity need not be asked for again, ms: that of a login that has just been made. */
const IDENTITY_FRESH_MS = 1000;

/** Tolerated difference between the provider's clock and ours, seconds. */
const CLOCK_TOLERANCE_SEC = 30;

/** The gateway's registration with a provider. */
interface Registration {
  readonly settings: OidcSettings;
  readonly client: oauth.Client;
  readonly discovery: Discovery;
}

/**
 * The installation's OpenID provider, or two of them: the steps of a login, and the refresh of its tokens. All of them
 * are `login_unavailable` unless the provider's state is `on`.
 */
export class OpenidProvider {
  readonly #remote: Pick<RemoteSettings, "oidc">;
  readonly #now: () => number;
  readonly #groupsClaim: string | undefined;
  readonly #registrations = new WeakMap<OidcSettings, Registration>();

  /**
   * `now` is in ms since the epoch. Who logs in is kept if a `groupsClaim` is given, the claim that names the user's
   * groups.
   */
  constructor(
    remote: Pick<RemoteSettings, "oidc">,
    now: () => number,
    groupsClaim?: string,
  ) {
    this.#remote = remote;
    this.#now = now;
    this.#groupsClaim = groupsClaim;
  }

  /** `on` if there is a provider, `unknown` until the API has told. */
  get state(): OidcState["kind"] {
    return this.#remote.oidc.kind;
  }

  /** The issuer for single sign-on; undefined if there is none beside the standard one. */
  get ssoIssuer(): string | undefined {
    const { oidc } = this.#remote;
    return oidc.kind === "on" ? oidc.sso?.issuer : undefined;
  }

  /** The issuer of logins without single sign-on; undefined unless the state is `on`. */
  get issuer(): string | undefined {
    const { oidc } = this.#remote;
    return oidc.kind === "on" ? oidc.settings.issuer : undefined;
  }

  /**
   * The authorization URL to send the browser to. With `reauthenticate`, the provider asks for an account even if it
   * knows the user (`prompt=login`).
   *
   * @throws {GatewayError} `login_unavailable`
   */
  async authorizationUrl(
    attempt: LoginAttempt,
    reauthenticate = false,
  ): Promise<string> {
    const { settings, discovery } = this.#registered(attempt.issuer);
    const as = await discovery.server();
    if (as.authorization_endpoint === undefined) {
      throw providerUnavailable(new Error("No authorization endpoint"));
    }
    const url = new URL(publicEndpoint(as.authorization_endpoint, settings));
    const { searchParams } = url;
    searchParams.set("client_id", settings.clientId);
    searchParams.set("response_type", "code");
    searchParams.set("scope", settings.scope);
    searchParams.set("redirect_uri", attempt.redirectUri);
    searchParams.set("state", attempt.state);
    searchParams.set("nonce", attempt.nonce);
    searchParams.set("code_challenge_method", "S256");
    searchParams.set(
      "code_challenge",
      await oauth.calculatePKCECodeChallenge(attempt.codeVerifier),
    );
    if (reauthenticate) searchParams.set("prompt", "login");
    if (settings.audience !== undefined) {
      searchParams.set("audience", settings.audience);
    }
    return url.href;
  }

  /**
   * Exchanges the callback's authorization code for tokens, and validates the ID token.
   *
   * @throws {GatewayError} `login_denied`, `login_failed` or `login_unavailable`; `login_expired` if the attempt was made
   * at an issuer that is no longer the installation's
   */
  async redeem(
    parameters: URLSearchParams,
    attempt: LoginAttempt,
  ): Promise<Tokens> {
    const registration = this.#registered(attempt.issuer);
    const { settings, client, discovery } = registration;
    const as = await discovery.server();
    try {
      const validated = oauth.validateAuthResponse(
        as,
        client,
        parameters,
        attempt.state,
      );
      const response = await oauth.authorizationCodeGrantRequest(
        as,
        client,
        clientAuth(as, settings),
        validated,
        attempt.redirectUri,
        attempt.codeVerifier,
        requestOptions(settings),
      );
      const tokens = await oauth.processAuthorizationCodeResponse(
        as,
        client,
        response,
        { expectedNonce: attempt.nonce, requireIdToken: true },
      );
      await checkSignature(as, response, registration);
      const issued = this.#tokensOf(tokens, settings);
      const current = await this.#identity(issued, { ...registration, as });
      if (current === undefined) return issued;
      if (current !== null) return { ...issued, identity: current };
    } catch (error) {
      throw await loginError(error);
    }
    throw new GatewayError(
      "login_failed",
      "The provider's UserInfo refuses its access token: is that for OIDC_AUDIENCE only?",
    );
  }

  /**
   * Who a session's user is now, as far as the provider tells: by its UserInfo, or otherwise as of the latest ID token.
   * Null if it does not accept the access token any more; undefined if that was not kept.
   *
   * @throws {GatewayError} `login_unavailable`
   */
  async currentIdentity(tokens: Tokens): Promise<Identity | null | undefined> {
    const { identity, issuer } = tokens;
    if (identity === undefined) return undefined;
    if (!this.#knows(issuer)) return null;
    const age = this.#now() - identity.checkedAt;
    if (age >= 0 && age < IDENTITY_FRESH_MS) return identity;
    const registration = this.#registered(issuer);
    const as = await registration.discovery.server();
    try {
      return await this.#identity(tokens, { ...registration, as });
    } catch (error) {
      await discardResponse(error);
      throw providerUnavailable(error);
    }
  }

  /**
   * New tokens for a refresh token (RFC 6749 section 6); null if it is no longer valid, or its issuer is no longer the
   * installation's: no other issuer may see it. Who they are for is only told with a new ID token.
   *
   * @throws {GatewayError} `login_unavailable`
   */
  async refresh(
    refreshToken: string,
    issuer?: string,
  ): Promise<Tokens | null> {
    if (!this.#knows(issuer)) return null;
    const registration = this.#registered(issuer);
    const { settings, client, discovery } = registration;
    const as = await discovery.server();
    try {
      const response = await oauth.refreshTokenGrantRequest(
        as,
        client,
        clientAuth(as, settings),
        refreshToken,
        requestOptions(settings),
      );
      const tokens = await oauth.processRefreshTokenResponse(
        as,
        client,
        response,
      );
      if (tokens.id_token !== undefined && this.#groupsClaim !== undefined) {
        await checkSignature(as, response, registration);
      }
      // If the provider does not rotate refresh tokens, the old one stays valid.
      return { refreshToken, ...this.#tokensOf(tokens, settings) };
    } catch (error) {
      await discardResponse(error);
      const isRefusal = error instanceof oauth.ResponseBodyError &&
        error.error === "invalid_grant";
      if (isRefusal) return null;
      throw providerUnavailable(error);
    }
  }

  /**
   * Checks that the provider is up, or both.
   *
   * @throws {GatewayError} `login_unavailable` if one does not serve its metadata
   */
  async check(): Promise<void> {
    const issuers = new Set([this.issuer, this.ssoIssuer ?? this.issuer]);
    await Promise.all(
      [...issuers].map((issuer) => this.#registered(issuer).discovery.check()),
    );
  }

  #knows(issuer: string | undefined): boolean {
    return issuer === undefined || issuer === this.issuer ||
      issuer === this.ssoIssuer;
  }

  /**
   * The registration at an issuer, the standard one by default.
   *
   * @throws {GatewayError} `login_unavailable` if no provider is known, `login_expired` if this one is not
   */
  #registered(issuer: string | undefined): Registration {
    const { oidc } = this.#remote;
    if (oidc.kind !== "on") {
      throw providerUnavailable(new Error("No provider is known"));
    }
    if (!this.#knows(issuer)) {
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
      discovery: new Discovery(settings, {
        requestOptions: () => requestOptions(settings),
        now: this.#now,
      }),
    };
    this.#registrations.set(settings, registration);
    return registration;
  }

  #tokensOf(
    response: oauth.TokenEndpointResponse,
    { issuer }: OidcSettings,
  ): Tokens {
    const { access_token, expires_in, refresh_token } = response;
    const claims = oauth.getValidatedIdTokenClaims(response);
    return {
      issuer,
      accessToken: access_token,
      expiresAt: expires_in === undefined
        ? undefined
        : this.#now() + expires_in * 1000,
      ...(refresh_token === undefined ? {} : { refreshToken: refresh_token }),
      ...claims !== undefined && { subject: claims.sub },
      ...claims !== undefined && this.#groupsClaim !== undefined &&
        { identity: identityIn(claims, this.#groupsClaim) },
    };
  }

  /** Who the tokens are for, as of now; null if the provider does not accept the access token. */
  async #identity(
    { identity, accessToken }: Tokens,
    { as, client, settings }: Registration & {
      readonly as: oauth.AuthorizationServer;
    },
  ): Promise<Identity | null | undefined> {
    if (
      identity === undefined || this.#groupsClaim === undefined ||
      as.userinfo_endpoint === undefined
    ) return identity;
    const response = await oauth.userInfoRequest(
      as,
      client,
      accessToken,
      requestOptions(settings),
    );
    if (response.status === 401 || response.status === 403) {
      await response.body?.cancel();
      return null;
    }
    const claims = await oauth.processUserInfoResponse(
      as,
      client,
      identity.subject,
      response,
    );
    return updatedBy(claims, identity, {
      groupsClaim: this.#groupsClaim,
      now: this.#now(),
    });
  }
}

function requestOptions({ allowInsecure, issuer }: OidcSettings) {
  return {
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    [oauth.allowInsecureRequests]: allowInsecure || isLoopbackHttp(issuer),
  };
}

function clientAuth(
  as: oauth.AuthorizationServer,
  { clientSecret }: OidcSettings,
): oauth.ClientAuth {
  if (clientSecret === undefined) return oauth.None();
  const methods = as.token_endpoint_auth_methods_supported;
  return methods === undefined || methods.includes("client_secret_basic")
    ? oauth.ClientSecretBasic(clientSecret)
    : oauth.ClientSecretPost(clientSecret);
}

/** Throws unless the ID token is signed by the provider; if keys were rotated, they are fetched again. */
async function checkSignature(
  as: oauth.AuthorizationServer,
  response: Response,
  { settings, discovery }: Registration,
): Promise<void> {
  try {
    await oauth.validateApplicationLevelSignature(
      as,
      response,
      requestOptions(settings),
    );
  } catch (error) {
    const isUnknownKey = error instanceof oauth.OperationProcessingError &&
      error.code === oauth.KEY_SELECTION;
    const current = isUnknownKey ? await discovery.server(true) : as;
    if (current === as) throw error;
    await oauth.validateApplicationLevelSignature(
      current,
      response,
      requestOptions(settings),
    );
  }
}
