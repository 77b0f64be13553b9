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
import { listenOnLoopback } from "./loopback.ts";
import {
  type ClientAuthMethod,
  createEngine,
  type Engine,
  INTERACTION_PREFIX,
  type JsonObject,
  ProviderStorage,
} from "./provider_engine.ts";
import { forge, type Forgery, generateSigningKey } from "./provider_keys.ts";
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
}

/** A running fake provider. */
export interface OpenidProvider extends AsyncDisposable {
  /** Its address, without a trailing slash; browsers may use another name of 127.0.0.1. */
  readonly url: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly audience: string;
  /** The registered redirect URIs of the client, which tests may change. */
  readonly redirectUris: Set<string>;
  /** The requests in order of arrival. */
  readonly calls: readonly ProviderCall[];
  /** The number of requests to an endpoint. */
  count(endpoint: Endpoint): number;
  /** Awaited before every response, so that tests can delay it. */
  beforeAnswer: ((call: ProviderCall) => void | Promise<void>) | undefined;
  /** If set, every response has this status, such as 503, or the connection is reset. */
  outage: number | "reset" | undefined;
  /** If set, how ID tokens are forged. */
  forgery: Forgery | undefined;
  /** Rewrites the JSON of an endpoint, after {@linkcode OpenidProvider.forgery} is applied. */
  readonly rewrite: Partial<Record<Endpoint, (body: JsonObject) => JsonObject>>;
  /** Replaces the signing key; the old one is no longer published. */
  rotateKeys(): Promise<void>;
  /** The subject of an access token for the audience (RFC 9068); undefined if it is not valid. */
  subjectOf(accessToken: string): Promise<string | undefined>;
}

/** Starts the provider on a free port; the package is loaded on the first request. */
export async function startOpenidProvider(
  options: OpenidProviderOptions = {},
): Promise<OpenidProvider> {
  const {
    clientId = "porthole",
    clientSecret,
    users = ["alice", "mallory"],
    audience = "daytona-stack",
  } = options;
  const redirectUris = new Set<string>();
  const client = {
    id: clientId,
    secret: clientSecret,
    authMethod: clientSecret === undefined
      ? "none"
      : options.clientAuthMethod ?? "client_secret_basic",
    redirectUris,
  } as const;
  const calls: ProviderCall[] = [];
  const storage = new ProviderStorage();
  let key = await generateSigningKey();
  let engine: Promise<Engine> | undefined;

  async function falsify(path: string, real: JsonObject): Promise<JsonObject> {
    const { forgery, rewrite } = provider;
    let body = real;
    if (typeof body.id_token === "string" && forgery !== undefined) {
      body = { ...body, id_token: await forge(body.id_token, forgery, key) };
    }
    return rewrite[endpointOf(path)]?.(body) ?? body;
  }

  function currentEngine(): Promise<Engine> {
    const { issuer } = provider;
    return engine ??= createEngine(
      { issuer, client, users, audience, key, storage, falsify },
    );
  }

  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { pathname, searchParams } = new URL(
      request.url ?? "/",
      "http://provider",
    );
    const endpoint = endpointOf(pathname);
    const method = request.method ?? "GET";
    const call = { endpoint, method, query: searchParams };
    calls.push(call);
    await provider.beforeAnswer?.(call);
    const { outage } = provider;
    if (outage === "reset") {
      request.socket.destroy();
    } else if (outage !== undefined) {
      response.writeHead(outage).end();
    } else {
      const engine = await currentEngine();
      await (endpoint === "login"
        ? answerInteraction(engine, { request, response, users })
        : engine.callback()(request, response));
    }
  }

  const listener = await listenOnLoopback(createServer(answer));
  const provider: OpenidProvider = {
    url: listener.url,
    issuer: options.issuer?.(listener.url) ?? listener.url,
    clientId,
    clientSecret,
    audience,
    redirectUris,
    calls,
    count: (endpoint) =>
      calls.filter((call) => call.endpoint === endpoint).length,
    beforeAnswer: undefined,
    outage: undefined,
    forgery: undefined,
    rewrite: {},
    async rotateKeys() {
      key = await generateSigningKey();
      engine = undefined;
    },
    async subjectOf(accessToken) {
      try {
        const { payload } = await jwtVerify(accessToken, key.publicKey, {
          issuer: provider.issuer,
          audience,
          typ: "at+jwt",
        });
        return payload.sub;
      } catch {
        return undefined;
      }
    },
    [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
  };
  return provider;
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
