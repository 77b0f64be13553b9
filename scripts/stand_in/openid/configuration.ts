/** The configuration of the `oidc-provider` package. */
import type { Library } from "./library.ts";
import { SIGNING_ALG, type SigningKey } from "./signing_key.ts";
import type { Adapter } from "./storage.ts";

/** The relying party, as registered with the provider. */
export interface RegisteredClient {
  readonly id: string;
  /** Undefined for a public client. */
  readonly secret: string | undefined;
  /** How it authenticates. */
  readonly authMethod: ClientAuthMethod;
  readonly redirectUris: ReadonlySet<string>;
}

/** A client authentication method (OpenID Connect Core 1.0 section 9). */
export type ClientAuthMethod =
  | "client_secret_basic"
  | "client_secret_post"
  | "none";

/** The dependencies of the configuration. */
export interface ConfigurationOptions {
  readonly client: RegisteredClient;
  readonly users: readonly string[];
  /** The only API that access tokens are issued for. */
  readonly audience: string;
  readonly key: SigningKey;
  readonly storage: (model: string) => Adapter;
  readonly errors: Library["errors"];
}

/** The path prefix of the login page. */
export const INTERACTION_PREFIX = "/interaction/";

interface Grant {
  addOIDCScope(scope: string): void;
  save(): Promise<string>;
}

interface AuthorizationContext {
  readonly oidc: {
    readonly client: { readonly clientId: string };
    readonly session: { readonly accountId: string };
    readonly params: { readonly scope?: string; readonly audience?: string };
    readonly provider: {
      readonly Grant: new (
        of: { readonly clientId: string; readonly accountId: string },
      ) => Grant;
    };
  };
}

// Daytona's proxy sends an Auth0 audience, but the package expects a resource, which is a URI (RFC 8707).
const RESOURCE_PREFIX = "urn:audience:";

const HOUR_SEC = 3600;

/** The package's configuration. */
export function configuration(
  { client, users, audience, key, storage, errors }: ConfigurationOptions,
): Record<string, unknown> {
  return {
    adapter: (model: string) =>
      model === "Client"
        ? {
          find: (id: string) => id === client.id ? metadata(client) : undefined,
        }
        : storage(model),
    jwks: { keys: [key.privateJwk] },
    clientAuthMethods: [client.authMethod],
    clientDefaults: { id_token_signed_response_alg: SIGNING_ALG },
    pkce: { required: () => true },
    extraParams: ["audience"],
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: ({ oidc }: AuthorizationContext) =>
          oidc.params.audience && RESOURCE_PREFIX + oidc.params.audience,
        useGrantedResource: () => true,
        getResourceServerInfo(_context: unknown, resource: string) {
          if (resource !== RESOURCE_PREFIX + audience) {
            throw new errors.InvalidTarget("no such audience");
          }
          return { audience, scope: "", accessTokenFormat: "jwt" };
        },
      },
    },
    claims: { openid: ["sub"], profile: ["name"], email: ["email"] },
    findAccount: (_context: unknown, id: string) =>
      users.includes(id) ? account(id) : undefined,
    async loadExistingGrant({ oidc }: AuthorizationContext) {
      const grant = new oidc.provider.Grant({
        clientId: oidc.client.clientId,
        accountId: oidc.session.accountId,
      });
      grant.addOIDCScope(oidc.params.scope ?? "");
      await grant.save();
      return grant;
    },
    interactions: {
      url: (_context: unknown, { uid }: { uid: string }) =>
        INTERACTION_PREFIX + uid,
    },
    clientBasedCORS: () => false,
    renderError(
      context: { type: string; body: unknown },
      error: Readonly<Record<string, string>>,
    ) {
      context.type = "text/plain";
      context.body = `${error.error}: ${error.error_description}\n`;
    },
    // Without explicit values, the package prints warnings.
    ttl: {
      AccessToken: HOUR_SEC,
      IdToken: HOUR_SEC,
      Grant: 24 * HOUR_SEC,
      Interaction: HOUR_SEC,
      RefreshToken: 24 * HOUR_SEC,
      Session: 24 * HOUR_SEC,
    },
  };
}

function account(id: string): Readonly<Record<string, unknown>> {
  const claims = { sub: id, name: id, email: `${id}@example.test` };
  return { accountId: id, claims: () => claims };
}

function metadata(
  { id, secret, authMethod, redirectUris }: RegisteredClient,
): Readonly<Record<string, unknown>> {
  return {
    client_id: id,
    client_secret: secret,
    token_endpoint_auth_method: authMethod,
    grant_types: ["authorization_code", "refresh_token"],
    redirect_uris: [...redirectUris],
  };
}
