/** A minimal relying party to test the provider, independent of the gateway's code. */
import * as oauth from "oauth4webapi";
import type { OpenidProvider } from "../../scripts/stand_in/openid_provider.ts";
import type { Visit } from "./login.ts";

/** Its redirect URI. */
export const CALLBACK = "http://proxy.localhost/callback";

/** Allows requests over plain http. */
export const INSECURE = { [oauth.allowInsecureRequests]: true };

/** A login that has been started. */
export interface Attempt {
  readonly as: oauth.AuthorizationServer;
  /** The authorization request for the browser. */
  readonly url: string;
  /** Redeems the code that the browser has brought back. */
  redeem(visit: Visit): Promise<oauth.TokenEndpointResponse>;
}

/** Starts a login (OpenID Connect Core 1.0 section 3.1); `parameters` are added to the usual ones. */
export async function startLogin(
  { url, issuer, clientId, clientSecret, audience }: OpenidProvider,
  parameters: Readonly<Record<string, string>> = { audience },
): Promise<Attempt> {
  const as = await oauth.processDiscoveryResponse(
    new URL(issuer),
    await oauth.discoveryRequest(new URL(url), INSECURE),
  );
  const client = { client_id: clientId };
  const verifier = oauth.generateRandomCodeVerifier();
  const nonce = oauth.generateRandomNonce();
  const state = oauth.generateRandomState();
  const query = new URLSearchParams({
    client_id: clientId,
    redirect_uri: CALLBACK,
    response_type: "code",
    scope: "openid",
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    nonce,
    state,
    ...parameters,
  });
  return {
    as,
    url: `${as.authorization_endpoint}?${query}`,
    async redeem({ page }) {
      const response = await oauth.authorizationCodeGrantRequest(
        as,
        client,
        authentication(as, clientSecret),
        oauth.validateAuthResponse(as, client, new URL(page.url), state),
        CALLBACK,
        verifier,
        INSECURE,
      );
      const tokens = await oauth.processAuthorizationCodeResponse(
        as,
        client,
        response,
        { expectedNonce: nonce, requireIdToken: true },
      );
      await oauth.validateApplicationLevelSignature(as, response, INSECURE);
      return tokens;
    },
  };
}

function authentication(
  { token_endpoint_auth_methods_supported: methods }: oauth.AuthorizationServer,
  secret: string | undefined,
): oauth.ClientAuth {
  if (secret === undefined) return oauth.None();
  return methods?.includes("client_secret_post")
    ? oauth.ClientSecretPost(secret)
    : oauth.ClientSecretBasic(secret);
}
