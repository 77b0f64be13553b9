/** The OpenID provider, as a relying party sees it (OpenID Connect Core 1.0). */
import * as oauth from "oauth4webapi";
import { GatewayError } from "../../errors.ts";
import type {
  OidcSettings,
  OidcState,
  RemoteSettings,
} from "../../resolver/remote_settings.ts";
import { requestOptions } from "./discovery.ts";
import { type Identity, identityIn, updatedBy } from "./identity.ts";
import { publicEndpoint } from "./issuer_addresses.ts";
import {
  discardResponse,
  loginError,
  providerUnavailable,
} from "./login_error.ts";
import { clientAuth, type Connection, Registrations } from "./registrations.ts";

/** One attempt to log in, from the authorization request to the callback. */
export interface AuthorizationAttempt {
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
  /** Who has logged in; undefined in states that older versions stored. */
  readonly identity?: Identity | undefined;
}

/** Age up to which an identity need not be asked for again, ms: that of a login that has just been made. */
const IDENTITY_FRESH_MS = 1000;

/** The installation's provider, or two of them. Its methods throw `login_unavailable` unless the state is `on`. */
export class OpenidProvider {
  readonly #registrations: Registrations;
  readonly #now: () => number;
  readonly #groupsClaim: string;
  readonly #needsUserInfo: boolean;

  /**
   * `now` is in ms since the epoch, and `groupsClaim` names the user's groups. Unless the operator's rule needs the UserInfo,
   * no login fails without it: access tokens for Daytona's API may be none for that.
   */
  constructor(
    remote: Pick<RemoteSettings, "oidc">,
    now: () => number,
    groupsClaim: string,
    needsUserInfo: boolean,
  ) {
    this.#registrations = new Registrations(remote, now);
    this.#now = now;
    this.#groupsClaim = groupsClaim;
    this.#needsUserInfo = needsUserInfo;
  }

  /** `on` if there is a provider, `unknown` until the API has told. */
  get state(): OidcState["kind"] {
    return this.#registrations.state;
  }

  /** The issuer for single sign-on; undefined if there is none beside the standard one. */
  get ssoIssuer(): string | undefined {
    return this.#registrations.ssoIssuer;
  }

  /** The issuer of logins without single sign-on; undefined unless the state is `on`. */
  get issuer(): string | undefined {
    return this.#registrations.issuer;
  }

  /** Throws `login_unavailable` if a provider does not serve its metadata. */
  check(): Promise<void> {
    return this.#registrations.check();
  }

  /** The URL to send the browser to. With `reauthenticate`, the provider asks for an account even if it knows the user. */
  async authorizationUrl(
    attempt: AuthorizationAttempt,
    reauthenticate = false,
  ): Promise<string> {
    const { as, settings } = await this.#registrations.connect(attempt.issuer);
    if (as.authorization_endpoint === undefined) {
      throw providerUnavailable(new Error("No authorization endpoint"));
    }
    const url = new URL(publicEndpoint(as.authorization_endpoint, settings));
    const { audience } = settings;
    const { codeVerifier } = attempt;
    const parameters = {
      client_id: settings.clientId,
      response_type: "code",
      scope: settings.scope,
      redirect_uri: attempt.redirectUri,
      state: attempt.state,
      nonce: attempt.nonce,
      code_challenge_method: "S256",
      code_challenge: await oauth.calculatePKCECodeChallenge(codeVerifier),
      ...reauthenticate && { prompt: "login" },
      ...audience !== undefined && { audience },
    };
    for (const [name, value] of Object.entries(parameters)) {
      url.searchParams.set(name, value);
    }
    return url.href;
  }

  /**
   * Exchanges the callback's authorization code for tokens, and validates the ID token.
   * @throws {GatewayError} `login_denied`, `login_failed`; `login_expired` if its issuer is no longer the installation's
   */
  async redeem(
    parameters: URLSearchParams,
    { issuer, state, nonce, redirectUri, codeVerifier }: AuthorizationAttempt,
  ): Promise<Tokens> {
    const connection = await this.#registrations.connect(issuer);
    const { as, client, settings } = connection;
    try {
      const response = await oauth.authorizationCodeGrantRequest(
        as,
        client,
        clientAuth(as, settings),
        oauth.validateAuthResponse(as, client, parameters, state),
        redirectUri,
        codeVerifier,
        requestOptions(settings),
      );
      const tokens = await oauth.processAuthorizationCodeResponse(
        as,
        client,
        response,
        { expectedNonce: nonce, requireIdToken: true },
      );
      await checkSignature(response, connection);
      const issued = this.#tokensOf(tokens, settings);
      const identity = this.#needsUserInfo
        ? await this.#identity(issued, connection)
        : issued.identity;
      if (identity !== null) return { ...issued, ...identity && { identity } };
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
   */
  async currentIdentity(tokens: Tokens): Promise<Identity | null | undefined> {
    const { identity, issuer } = tokens;
    if (identity === undefined) return undefined;
    if (!this.#registrations.knows(issuer)) return null;
    const age = this.#now() - identity.checkedAt;
    if (age >= 0 && age < IDENTITY_FRESH_MS) return identity;
    const connection = await this.#registrations.connect(issuer);
    try {
      return await this.#identity(tokens, connection);
    } catch (error) {
      await discardResponse(error);
      throw providerUnavailable(error);
    }
  }

  /**
   * New tokens for a refresh token (RFC 6749 section 6); null if it is no longer valid, or its issuer is no longer the
   * installation's: no other issuer may see it. Who they are for is only told with a new ID token, and where the UserInfo
   * is needed, with that.
   */
  async refresh(refreshToken: string, issuer?: string): Promise<Tokens | null> {
    if (!this.#registrations.knows(issuer)) return null;
    const connection = await this.#registrations.connect(issuer);
    const { as, client, settings } = connection;
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
      if (tokens.id_token !== undefined) {
        await checkSignature(response, connection);
      }
      const issued = this.#tokensOf(tokens, settings);
      const identity = this.#needsUserInfo
        ? await this.#identity(issued, connection).catch(async (error) => {
          await discardResponse(error); // the refresh token may be used up by now
          return null;
        })
        : issued.identity;
      // If the provider does not rotate refresh tokens, the old one stays valid.
      return { refreshToken, ...issued, identity: identity ?? undefined };
    } catch (error) {
      await discardResponse(error);
      const isRefusal = error instanceof oauth.ResponseBodyError &&
        error.error === "invalid_grant";
      if (isRefusal) return null;
      throw providerUnavailable(error);
    }
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
      ...refresh_token !== undefined && { refreshToken: refresh_token },
      ...claims !== undefined && {
        subject: claims.sub,
        identity: identityIn(claims, this.#groupsClaim),
      },
    };
  }

  /** Who the tokens are for, as of now; null if the provider does not accept the access token. */
  async #identity(
    { identity, accessToken }: Tokens,
    { as, client, settings }: Connection,
  ): Promise<Identity | null | undefined> {
    if (identity === undefined || as.userinfo_endpoint === undefined) {
      return identity;
    }
    const response = await oauth.userInfoRequest(
      as,
      client,
      accessToken,
      requestOptions(settings),
    );
    if (response.status === 401 || response.status === 403) {
      await response.body?.cancel();
      return this.#needsUserInfo ? null : identity;
    }
    const claims = await oauth.processUserInfoResponse(
      as,
      client,
      identity.subject,
      response,
    );
    const options = { groupsClaim: this.#groupsClaim, now: this.#now() };
    return updatedBy(claims, identity, options);
  }
}

/** Throws unless the ID token is signed by the provider; if keys were rotated, they are fetched again. */
async function checkSignature(
  response: Response,
  { as, settings, discovery }: Connection,
): Promise<void> {
  function checkBy(server: oauth.AuthorizationServer): Promise<void> {
    const options = requestOptions(settings);
    return oauth.validateApplicationLevelSignature(server, response, options);
  }
  try {
    await checkBy(as);
  } catch (error) {
    const isUnknownKey = error instanceof oauth.OperationProcessingError &&
      error.code === oauth.KEY_SELECTION;
    const current = isUnknownKey ? await discovery.server(true) : as;
    if (current === as) throw error;
    await checkBy(current);
  }
}
