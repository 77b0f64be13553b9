/** The certified npm package `oidc-provider`, configured, with the types and the storage that it lacks. */
import type { IncomingMessage, ServerResponse } from "node:http";
import process from "node:process";
import { SIGNING_ALG, type SigningKey } from "./provider_keys.ts";

/** A JSON response body. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The relying party, as registered with the provider. */
export interface RegisteredClient {
  readonly id: string;
  /** Undefined for a public client. */
  readonly secret: string | undefined;
  /** Its authentication method. */
  readonly authMethod: ClientAuthMethod;
  readonly redirectUris: ReadonlySet<string>;
}

/** A client authentication method (OpenID Connect Core 1.0 section 9). */
export type ClientAuthMethod =
  | "client_secret_basic"
  | "client_secret_post"
  | "none";

/** The parts of an engine. */
export interface EngineOptions {
  readonly issuer: string;
  readonly client: RegisteredClient;
  readonly users: readonly string[];
  /** Further claims by user, for their ID tokens. */
  readonly claims: ReadonlyMap<string, JsonObject>;
  /** The only API that access tokens are issued for. */
  readonly audience: string;
  /** True if they are issued for it even if the client names none. */
  readonly isDefaultAudience: boolean;
  readonly key: SigningKey;
  /** Sessions and grants, so that another engine can take over. */
  readonly storage: ProviderStorage;
  /** Rewrites the body of every response with status 200. */
  readonly falsify: (path: string, body: JsonObject) => Promise<JsonObject>;
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

/** Creates a provider without a listener. */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const { Provider, errors } = await loadLibrary();
  const { issuer, falsify } = options;
  const engine = withoutEnvironment(() =>
    new Provider(issuer, configuration(options, errors))
  );
  engine.silent = true;
  engine.use(async (context, next) => {
    await next();
    if (context.status === 200) {
      context.body = await falsify(context.path, context.body as JsonObject);
    }
  });
  return engine;
}

function configuration(
  { client, users, claims, audience, isDefaultAudience, key, storage }:
    EngineOptions,
  errors: Library["errors"],
): Record<string, unknown> {
  return {
    adapter: (model: string) =>
      model === "Client"
        ? {
          find: (id: string) => id === client.id ? metadata(client) : undefined,
        }
        : storage.adapterOf(model),
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
        defaultResource({ oidc }: AuthorizationContext) {
          const asked = oidc.params.audience ??
            (isDefaultAudience ? audience : undefined);
          return asked && RESOURCE_PREFIX + asked;
        },
        useGrantedResource: () => true,
        getResourceServerInfo(_context: unknown, resource: string) {
          if (resource !== RESOURCE_PREFIX + audience) {
            throw new errors.InvalidTarget("no such audience");
          }
          return { audience, scope: "", accessTokenFormat: "jwt" };
        },
      },
    },
    claims: {
      openid: ["sub"],
      profile: ["name", "groups"],
      email: ["email", "email_verified"],
    },
    // Most providers put them into the ID token, though this package does not by default.
    conformIdTokenClaims: claims.size === 0,
    findAccount: (_context: unknown, id: string) =>
      users.includes(id) ? account(id, claims.get(id)) : undefined,
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

function account(
  id: string,
  further: JsonObject = {},
): Readonly<Record<string, unknown>> {
  const claims = {
    sub: id,
    name: id,
    email: `${id}@example.test`,
    ...further,
  };
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

/** An item that the package stores: a session, interaction, grant, code or refresh token. */
interface Payload {
  readonly uid?: string;
  /** Of a session: who is logged in. */
  accountId?: string | undefined;
  /** Of an interaction: the session that its browser had. */
  readonly session?: { readonly uid: string; accountId?: string | undefined };
  readonly grantId?: string;
  /** When it was consumed, in seconds since the epoch. */
  consumed?: number;
}

/** A storage in memory; the package awaits every result, and checks expiry itself. */
export class ProviderStorage {
  readonly #models = new Map<string, Adapter>();

  /** The package's interface to the items of one model. */
  adapterOf(model: string): Adapter {
    return this.#models.getOrInsertComputed(model, () => new Adapter());
  }

  /**
   * Logs out whoever is logged in by the session with that `uid`. If somebody else logs in by it, the package would
   * answer with a form that a script sends to a page for that.
   */
  logOut(uid: string): void {
    const session = this.adapterOf("Session").findByUid(uid);
    const seen = this.adapterOf("Interaction").sessions(uid);
    for (const item of [session, ...seen]) {
      if (item !== undefined) item.accountId = undefined;
    }
  }
}

class Adapter {
  readonly #items = new Map<string, Payload>();

  upsert(id: string, payload: Payload): void {
    this.#items.set(id, payload);
  }

  find(id: string): Payload | undefined {
    return this.#items.get(id);
  }

  findByUid(uid: string): Payload | undefined {
    return this.#items.values().find((item) => item.uid === uid);
  }

  /** What interactions have noted of the session with that `uid`. */
  sessions(uid: string): Required<Payload>["session"][] {
    return [...this.#items.values()].flatMap(({ session }) =>
      session?.uid === uid ? [session] : []
    );
  }

  consume(id: string): void {
    const item = this.#items.get(id);
    if (item !== undefined) item.consumed = Math.floor(Date.now() / 1000);
  }

  destroy(id: string): void {
    this.#items.delete(id);
  }

  revokeByGrantId(grantId: string): void {
    for (const [id, item] of this.#items) {
      if (item.grantId === grantId) this.#items.delete(id);
    }
  }
}

/** The context of the package's middleware. */
interface ProviderContext {
  readonly path: string;
  readonly status: number;
  body: unknown;
}

/** The result of an interaction: a login, consent, or an OAuth error. */
export type InteractionResult =
  | { readonly login: { readonly accountId: string } }
  | { readonly consent: Record<string, never> }
  | { readonly error: string; readonly error_description: string };

/** The package's provider. */
export interface Engine {
  /** If true, Koa prints no errors. */
  silent: boolean;
  use(
    middleware: (
      context: ProviderContext,
      next: () => Promise<void>,
    ) => Promise<void>,
  ): void;
  callback(): (
    request: IncomingMessage,
    response: ServerResponse,
  ) => Promise<void>;
  /** Rejects if the request's cookies do not belong to an interaction. */
  interactionDetails(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<{
    readonly prompt: { readonly name: "login" | "consent" };
    /** The session that the browser has had before. */
    readonly session?: { readonly uid: string } | undefined;
  }>;
  interactionFinished(
    request: IncomingMessage,
    response: ServerResponse,
    result: InteractionResult,
  ): Promise<void>;
}

/** The package's exports. */
interface Library {
  readonly Provider: new (
    issuer: string,
    configuration: Readonly<Record<string, unknown>>,
  ) => Engine;
  readonly errors: {
    readonly InvalidTarget: new (description: string) => Error;
  };
}

let loaded: Promise<Library> | undefined;

/** Loads the package once, and on demand: it takes a tenth of a second, which tests without a login need not spend. */
function loadLibrary(): Promise<Library> {
  return loaded ??= importQuietly();
}

async function importQuietly(): Promise<Library> {
  const { warn } = console;
  using _warn = replace(console, "warn", (...data) => {
    // The package warns that it is made for Node.
    if (!String(data[0]).startsWith("oidc-provider ")) warn(...data);
  });
  using _env = replace(process, "env", {});
  return await import("oidc-provider") as Library;
}

/** Runs `create` with an empty `process.env`, of which the package and its dependencies read more than they need. */
function withoutEnvironment<T>(create: () => T): T {
  using _env = replace(process, "env", {});
  return create();
}

function replace<T extends object, K extends keyof T>(
  object: T,
  key: K,
  value: T[K],
): Disposable {
  const original = object[key];
  object[key] = value;
  return {
    [Symbol.dispose](): void {
      object[key] = original;
    },
  };
}
