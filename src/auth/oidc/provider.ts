/**
 * The OpenID provider, as a relying party sees it (OpenID Connect Core 1.0). What it says of itself is discovered once
 * in {@linkcode DISCOVERY_TTL_MS} however many logins start, and its signing keys live as long as that document.
 */
import * as oauth from "oauth4webapi";
import type { OidcSettings } from "../../directory/installation.ts";
import { GatewayError } from "../../errors.ts";
import { isLoopbackHttp } from "../../lib/plain_http.ts";
import { createDiscovery } from "./discovery.ts";
import { loginError, unavailable } from "./login_error.ts";
import { forBrowsers } from "./two_addresses.ts";

/** One attempt to log in, from its start to its callback. */
export interface LoginAttempt {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
  readonly redirectUri: string;
}

/** What the provider gives for a login, and again to keep it up. */
export interface Tokens {
  readonly accessToken: string;
  /** When the access token ends, milliseconds since the epoch; undefined where the provider does not say. */
  readonly expiresAt: number | undefined;
  /** Absent where the provider gives none: then the login cannot outlast the access token. */
  readonly refreshToken?: string;
}

/** The steps of a login, and what keeps it up. */
export interface OpenidProvider {
  /**
   * Where to send the browser; with `reauthenticate`, the provider asks who it is though it knows (`prompt=login`).
   *
   * @throws {GatewayError} `login_unavailable`
   */
  authorizationUrl(
    attempt: LoginAttempt,
    reauthenticate?: boolean,
  ): Promise<string>;
  /**
   * What the callback's parameters are worth.
   *
   * @throws {GatewayError} `login_denied`, `login_failed` or `login_unavailable`
   */
  redeem(parameters: URLSearchParams, attempt: LoginAttempt): Promise<Tokens>;
  /**
   * New tokens for a refresh token (RFC 6749 section 6); null where it is not good any more.
   *
   * @throws {GatewayError} `login_unavailable`
   */
  refresh(refreshToken: string): Promise<Tokens | null>;
  /** Asks it for its metadata. Throws {@linkcode GatewayError} `login_unavailable` where there is no answer. */
  check(): Promise<void>;
}

/** Deadline of one request to the provider, ms. */
const REQUEST_TIMEOUT_MS = 10_000;

/** How far the provider's clock may be off, seconds. */
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

  function authentication(as: oauth.AuthorizationServer): oauth.ClientAuth {
    const { clientSecret } = settings;
    if (clientSecret === undefined) return oauth.None();
    const methods = as.token_endpoint_auth_methods_supported;
    return methods === undefined || methods.includes("client_secret_basic")
      ? oauth.ClientSecretBasic(clientSecret)
      : oauth.ClientSecretPost(clientSecret);
  }

  /** Throws unless the ID token is signed by the provider; keys that rotated are fetched anew. */
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
        authentication(as),
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
        authentication(as),
        refreshToken,
        requestOptions(),
      );
      const tokens = await oauth.processRefreshTokenResponse(
        as,
        client,
        response,
      );
      // A provider that does not rotate refresh tokens leaves the old one good.
      return { refreshToken, ...tokensOf(tokens) };
    } catch (error) {
      const failure = await loginError(error);
      const isRefusal = error instanceof oauth.ResponseBodyError &&
        error.error === "invalid_grant";
      if (isRefusal) return null;
      throw failure instanceof GatewayError ? unavailable(error) : failure;
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
        throw unavailable(new Error("No authorization endpoint"));
      }
      const url = new URL(
        forBrowsers(as.authorization_endpoint, settings),
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
      if (settings.audience !== undefined && settings.audience !== "") {
        searchParams.set("audience", settings.audience);
      }
      return url.href;
    },
    redeem,
    refresh,
    check,
  };
}

/** Plain http only within this machine, unless it is allowed elsewhere. */
function isPlainHttpAllowed({ allowInsecure, issuer }: OidcSettings): boolean {
  return allowInsecure || isLoopbackHttp(issuer);
}
