/**
 * The OpenID provider, as a relying party sees it (OpenID Connect Core 1.0). Its metadata is discovered once per
 * {@linkcode DISCOVERY_TTL_MS} however many logins start, and its signing keys are cached as long as the metadata.
 */
import * as oauth from "oauth4webapi";
import { isLoopbackHttp } from "../../lib/url.ts";
import type { OidcSettings } from "../../resolver/remote_settings.ts";
import { createDiscovery } from "./discovery.ts";
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

/** The steps of a login, and the refresh of its tokens. */
export interface OpenidProvider {
  /**
   * The authorization URL to send the browser to. With `reauthenticate`, the provider asks for an account even if it
   * knows the user (`prompt=login`).
   *
   * @throws {GatewayError} `login_unavailable`
   */
  authorizationUrl(
    attempt: LoginAttempt,
    reauthenticate?: boolean,
  ): Promise<string>;
  /**
   * Exchanges the callback's authorization code for tokens, and validates the ID token.
   *
   * @throws {GatewayError} `login_denied`, `login_failed` or `login_unavailable`
   */
  redeem(parameters: URLSearchParams, attempt: LoginAttempt): Promise<Tokens>;
  /**
   * New tokens for a refresh token (RFC 6749 section 6); null if it is no longer valid.
   *
   * @throws {GatewayError} `login_unavailable`
   */
  refresh(refreshToken: string): Promise<Tokens | null>;
  /**
   * Checks that the provider is up.
   *
   * @throws {GatewayError} `login_unavailable` if it does not serve its metadata
   */
  check(): Promise<void>;
}

/** Deadline for one request to the provider, ms. */
const REQUEST_TIMEOUT_MS = 10_000;

/** Tolerated difference between the provider's clock and ours, seconds. */
const CLOCK_TOLERANCE_SEC = 30;

/** Creates the relying party's side. */
export function createOpenidProvider(
  settings: OidcSettings,
  now: () => number,
): OpenidProvider {
  const client: oauth.Client = {
    client_id: settings.clientId,
    [oauth.clockTolerance]: CLOCK_TOLERANCE_SEC,
  };
  const { server, check } = createDiscovery(settings, {
    requestOptions,
    now,
  });

  function requestOptions() {
    return {
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      [oauth.allowInsecureRequests]: isPlainHttpAllowed(settings),
    };
  }

  function clientAuth(as: oauth.AuthorizationServer): oauth.ClientAuth {
    const { clientSecret } = settings;
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
  ): Promise<void> {
    try {
      await oauth.validateApplicationLevelSignature(
        as,
        response,
        requestOptions(),
      );
    } catch (error) {
      const isUnknownKey = error instanceof oauth.OperationProcessingError &&
        error.code === oauth.KEY_SELECTION;
      const current = isUnknownKey ? await server(true) : as;
      if (current === as) throw error;
      await oauth.validateApplicationLevelSignature(
        current,
        response,
        requestOptions(),
      );
    }
  }

  async function redeem(
    parameters: URLSearchParams,
    attempt: LoginAttempt,
  ): Promise<Tokens> {
    const as = await server();
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
        clientAuth(as),
        validated,
        attempt.redirectUri,
        attempt.codeVerifier,
        requestOptions(),
      );
      const tokens = await oauth.processAuthorizationCodeResponse(
        as,
        client,
        response,
        { expectedNonce: attempt.nonce, requireIdToken: true },
      );
      await checkSignature(as, response);
      return tokensOf(tokens);
    } catch (error) {
      throw await loginError(error);
    }
  }

  async function refresh(refreshToken: string): Promise<Tokens | null> {
    const as = await server();
    try {
      const response = await oauth.refreshTokenGrantRequest(
        as,
        client,
        clientAuth(as),
        refreshToken,
        requestOptions(),
      );
      const tokens = await oauth.processRefreshTokenResponse(
        as,
        client,
        response,
      );
      // If the provider does not rotate refresh tokens, the old one stays valid.
      return { refreshToken, ...tokensOf(tokens) };
    } catch (error) {
      await discardResponse(error);
      const isRefusal = error instanceof oauth.ResponseBodyError &&
        error.error === "invalid_grant";
      if (isRefusal) return null;
      throw providerUnavailable(error);
    }
  }

  function tokensOf(response: oauth.TokenEndpointResponse): Tokens {
    const { access_token, expires_in, refresh_token } = response;
    return {
      accessToken: access_token,
      expiresAt: expires_in === undefined
        ? undefined
        : now() + expires_in * 1000,
      ...(refresh_token === undefined ? {} : { refreshToken: refresh_token }),
    };
  }

  return {
    async authorizationUrl(attempt, reauthenticate = false) {
      const as = await server();
      if (as.authorization_endpoint === undefined) {
        throw providerUnavailable(new Error("No authorization endpoint"));
      }
      const url = new URL(
        publicEndpoint(as.authorization_endpoint, settings),
      );
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
    },
    redeem,
    refresh,
    check,
  };
}

/** Whether plain http may be used: on the loopback interface, or if the operator allows it. */
function isPlainHttpAllowed({ allowInsecure, issuer }: OidcSettings): boolean {
  return allowInsecure || isLoopbackHttp(issuer);
}
