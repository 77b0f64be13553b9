/**
 * A fake identity provider on 127.0.0.1: the certified `oidc-provider`, with one client and users without passwords.
 * Tests count its requests, delay its responses, take it down, rotate its keys and forge its tokens.
 */
import { jwtVerify } from "jose";
import {
  createServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { listenOnLoopback, type Loopback } from "./loopback.ts";
import {
  type ClientAuthMethod,
  createEngine,
  type Engine,
  INTERACTION_PREFIX,
  type JsonObject,
  ProviderStorage,
} from "./provider_engine.ts";
import {
  forge,
  type Forgery,
  generateSigningKey,
  type SigningKey,
} from "./provider_keys.ts";
import { answerInteraction } from "./provider_login_page.ts";

/**
 * The endpoints by which requests are counted: `login` is the page with the form, `other` includes the return from it.
 */
export type Endpoint =
  | "discovery"
  | "jwks"
  | "authorize"
  | "login"
  | "token"
  | "other";

/** A request, answered or not. */
export interface ProviderCall {
  readonly endpoint: Endpoint;
  readonly method: string;
  readonly query: URLSearchParams;
}

/** Differences from the default provider. */
export interface OpenidProviderOptions {
  /** The issuer identifier, given the provider's URL; by default, the URL itself. */
  readonly issuer?: (url: string) => string;
  readonly clientId?: string;
  /** Makes the client confidential. */
  readonly clientSecret?: string;
  /** The client's authentication method. */
  readonly clientAuthMethod?: Exclude<ClientAuthMethod, "none">;
  /** Who can log in. */
  readonly users?: readonly string[];
  /** The API that access tokens are for. */
  readonly audience?: string;
  /** True if access tokens are for it even if the client names none. */
  readonly isDefaultAudience?: boolean;
}

/** Starts the provider on a free port; the package is loaded on the first request. */
export async function startOpenidProvider(
  options: OpenidProviderOptions = {},
): Promise<OpenidProvider> {
  const key = await generateSigningKey();
  const server = createServer();
  const listener = await listenOnLoopback(server);
  const provider = new OpenidProvider(listener, key, options);
  server.on("request", (request, response) => {
    provider.answer(request, response);
  });
  return provider;
}

/** A running fake provider. */
export class OpenidProvider implements AsyncDisposable {
  /** Its address, without a trailing slash; browsers may use another name of 127.0.0.1. */
  readonly url: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly audience: string;
  /** The registered redirect URIs of the client, which tests may change. */
  readonly redirectUris = new Set<string>();
  /** The requests in order of arrival. */
  readonly calls: ProviderCall[] = [];
  /** Awaited before every response, so that tests can delay it. */
  beforeAnswer: ((call: ProviderCall) => void | Promise<void>) | undefined;
  /** If set, every response has this status, such as 503, or the connection is reset. */
  outage: number | "reset" | undefined;
  /** Further claims by user, for their ID tokens: such as `email_verified` and `groups`. */
  readonly claims = new Map<string, JsonObject>();
  /** If set, how ID tokens are forged. */
  forgery: Forgery | undefined;
  /** Rewrites the JSON of an endpoint, after {@linkcode OpenidProvider.forgery} is applied. */
  readonly rewrite: Partial<
    Record<Endpoint, (body: JsonObject) => JsonObject>
  > = {};
  readonly #listener: Loopback;
  readonly #users: readonly string[];
  readonly #authMethod: ClientAuthMethod;
  readonly #isDefaultAudience: boolean;
  readonly #storage = new ProviderStorage();
  #key: SigningKey;
  #engine: Promise<Engine> | undefined;

  constructor(
    listener: Loopback,
    key: SigningKey,
    {
      issuer = (url) => url,
      clientId = "porthole",
      clientSecret,
      clientAuthMethod = "client_secret_basic",
      users = ["alice", "mallory"],
      audience = "daytona-stack",
      isDefaultAudience = false,
    }: OpenidProviderOptions,
  ) {
    this.#listener = listener;
    this.#key = key;
    this.#users = users;
    this.#authMethod = clientSecret === undefined ? "none" : clientAuthMethod;
    this.url = listener.url;
    this.issuer = issuer(listener.url);
    this.clientId = clientId;
    this.clientSecret = clientSecret;
    this.audience = audience;
    this.#isDefaultAudience = isDefaultAudience;
  }

  /** The number of requests to an endpoint. */
  count(endpoint: Endpoint): number {
    return this.calls.filter((call) => call.endpoint === endpoint).length;
  }

  /** Replaces the signing key; the old one is no longer published. */
  async rotateKeys(): Promise<void> {
    this.#key = await generateSigningKey();
    this.#engine = undefined;
  }

  /** The subject of an access token for the audience (RFC 9068); undefined if it is not valid. */
  async subjectOf(accessToken: string): Promise<string | undefined> {
    const { issuer, audience } = this;
    const expected = { issuer, audience, typ: "at+jwt" };
    try {
      const { publicKey } = this.#key;
      return (await jwtVerify(accessToken, publicKey, expected)).payload.sub;
    } catch {
      return undefined;
    }
  }

  /** Answers a request. */
  async answer(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { pathname, searchParams: query } = new URL(
      request.url ?? "/",
      "http://provider",
    );
    const endpoint = endpointOf(pathname);
    const call = { endpoint, method: request.method ?? "GET", query };
    this.calls.push(call);
    await this.beforeAnswer?.(call);
    const { outage } = this;
    if (outage === "reset") {
      request.socket.destroy();
    } else if (outage !== undefined) {
      response.writeHead(outage).end();
    } else {
      const engine = await this.#currentEngine();
      await (endpoint === "login"
        ? answerInteraction(engine, {
          request,
          response,
          users: this.#users,
          logOut: (uid) => this.#storage.logOut(uid),
        })
        : engine.callback()(request, response));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener[Symbol.asyncDispose]();
  }

  #currentEngine(): Promise<Engine> {
    const { issuer, audience, redirectUris } = this;
    return this.#engine ??= createEngine({
      issuer,
      client: {
        id: this.clientId,
        secret: this.clientSecret,
        authMethod: this.#authMethod,
        redirectUris,
      },
      users: this.#users,
      claims: this.claims,
      audience,
      isDefaultAudience: this.#isDefaultAudience,
      key: this.#key,
      storage: this.#storage,
      falsify: (path, body) => this.#falsify(path, body),
    });
  }

  async #falsify(path: string, real: JsonObject): Promise<JsonObject> {
    let body = real;
    if (typeof body.id_token === "string" && this.forgery !== undefined) {
      const id_token = await forge(body.id_token, this.forgery, this.#key);
      body = { ...body, id_token };
    }
    return this.rewrite[endpointOf(path)]?.(body) ?? body;
  }
}

const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  "/.well-known/openid-configuration": "discovery",
  "/jwks": "jwks",
  "/auth": "authorize",
  "/token": "token",
};

function endpointOf(path: string): Endpoint {
  return path.startsWith(INTERACTION_PREFIX)
    ? "login"
    : ENDPOINTS[path] ?? "other";
}
