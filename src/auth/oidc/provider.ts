/**
 * The OpenID provider, as a relying party sees it (OpenID Connect Core 1.0). Its metadata is discovered once per
 * {@linkcode DISCOVERY_TTL_MS} however many logins start, and its signing keys are cached as long as the metadata.
 */
import * as oauth from "oauth4webapi";
import { isLoopbackHttp } from "../../lib/url.ts";
import type {
  OidcSettings,
  OidcState,
  RemoteSettings,
} from "../../resolver/remote_settings.ts";
import { Discovery } from "./discovery.ts";
import { publicEndpoint } from "./issuer_addresses.ts";
import {
  discardResponse,
  loginError,
  providerUnavailable,
} from "./login_error.ts";

/** One attempt to log in, from the authorization request to the callback. */
export interface LoginAttempt {
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
  /** Absent if the provider issues none: then the login cannot outlive the access token. */
  readonly refreshToken?: string;
}

/** Deadline for one request to the provider, ms. */
const REQUEST_TIMEOUT_MS = 10_000;

/** Tolerated difference between the provider's clock and ours, seconds. */
const CLOCK_TOLERANCE_SEC = 30;

/** The gateway's registration with a provider. */
interface Registration {
  readonly settings: OidcSettings;
  readonly client: oauth.Client;
  readonly discovery: Discovery;
}

/**
 * The installation's OpenID provider: the steps of a login, and the refresh of its tokens. All of them are
 * `login_unavailable` unless the provider's state is `on`.
 */
export class OpenidProvider {
  readonly #remote: Pick<RemoteSettings, "oidc">;
  readonly #now: () => number;
  #registration: Registration | undefined;

  /** `now` is in ms since the epoch. */
  constructor(remote: Pick<RemoteSettings, "oidc">, now: () => number) {
    this.#remote = remote;
    this.#now = now;
  }

  /** `on` if there is a provider, `unknown` until the API has told. */
  get state(): OidcState["kind"] {
    return this.#remote.oidc.kind;
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
    const { settings, discovery } = this.#registered();
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
   * @throws {GatewayError} `login_denied`, `login_failed` or `login_unavailable`
   */
  async redeem(
    parameters: URLSearchParams,
    attempt: LoginAttempt,
  ): Promise<Tokens> {
    const registration = this.#registered();
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
      return this.#tokensOf(tokens);
    } catch (error) {
      throw await loginError(error);
    }
  }

  /**
   * New tokens for a refresh token (RFC 6749 section 6); null if it is no longer valid.
   *
   * @throws {GatewayError} `login_unavailable`
   */
  async refresh(refreshToken: string): Promise<Tokens | null> {
    const { settings, client, discovery } = this.#registered();
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
      // If the provider does not rotate refresh tokens, the old one stays valid.
      return { refreshToken, ...this.#tokensOf(tokens) };
    } catch (error) {
      await discardResponse(error);
      const isRefusal = error instanceof oauth.ResponseBodyError &&
        error.error === "invalid_grant";
      if (isRefusal) return null;
      throw providerUnavailable(error);
    }
  }

  /**
   * Checks that the provider is up.
   *
   * @throws {GatewayError} `login_unavailable` if it does not serve its metadata
   */
  async check(): Promise<void> {
    await this.#registered().discovery.check();
  }

  /** @throws {GatewayError} `login_unavailable` if no provider is known */
  #registered(): Registration {
    if (this.#registration !== undefined) return this.#registration;
    const { oidc } = this.#remote;
    if (oidc.kind !== "on") {
      throw providerUnavailable(new Error("No provider is known"));
    }
    const { settings } = oidc;
    return this.#registration = {
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
  }

  #tokensOf(response: oauth.TokenEndpointResponse): Tokens {
    const { access_token, expires_in, refresh_token } = response;
    return {
      accessToken: access_token,
      expiresAt: expires_in === undefined
        ? undefined
        : this.#now() + expires_in * 1000,
      ...(refresh_token === undefined ? {} : { refreshToken: refresh_token }),
    };
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
