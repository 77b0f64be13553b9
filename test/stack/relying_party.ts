/** A relying party in a few lines, to try the provider with: none of the gateway's code is in it. */
import * as oauth from "oauth4webapi";
import type { Visit } from "../support/login.ts";
import type { OpenidProvider } from "./openid_provider.ts";

/** Where it wants people sent back to. */
export const CALLBACK = "http://proxy.localhost/callback";

/** Lets the requests go over plain http. */
export const INSECURE = { [oauth.allowInsecureRequests]: true };

/** One login that has begun. */
export interface Attempt {
  readonly as: oauth.AuthorizationServer;
  /** Where to send the browser. */
  readonly url: string;
  /** Redeems what the browser came back with. */
  redeem(visit: Visit): Promise<oauth.TokenEndpointResponse>;
}

/** Begins a login (OpenID Connect Core section 3.1); `parameters` come on top of the usual ones. */
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
