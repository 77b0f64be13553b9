/**
 * A stand-in for the identity provider on 127.0.0.1: the certified `oidc-provider`, with one client and users who need
 * no password. Tests count its requests, hold its answers back, take it down, rotate its keys and make it lie.
 */
import {
  createServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { jwtVerify } from "jose";
import { listenOnLoopback } from "./loopback.ts";
import {
  type ClientAuthMethod,
  INTERACTION_PREFIX,
} from "./openid/configuration.ts";
import { createEngine, type JsonObject } from "./openid/engine.ts";
import { forge, type Forgery } from "./openid/forgery.ts";
import type { LibraryProvider } from "./openid/library.ts";
import { answerInteraction } from "./openid/login_page.ts";
import { generateSigningKey } from "./openid/signing_key.ts";
import { openStorage } from "./openid/storage.ts";

export type { JsonObject } from "./openid/engine.ts";
export { clockSkew, type Forgery } from "./openid/forgery.ts";

/** What requests are counted by: `login` is the page with the form, `other` among them the way back from it. */
export type Endpoint =
  | "discovery"
  | "jwks"
  | "authorize"
  | "login"
  | "token"
  | "other";

/** One request, answered or not. */
export interface ProviderCall {
  readonly endpoint: Endpoint;
  readonly method: string;
  readonly query: URLSearchParams;
}

/** How the provider differs from the usual one. */
export interface OpenidProviderOptions {
  /** The issuer identifier, made of the provider's URL; the URL itself unless given. */
  readonly issuer?: (url: string) => string;
  readonly clientId?: string;
  /** Makes the client a confidential one. */
  readonly clientSecret?: string;
  /** How the client shows its secret. */
  readonly clientAuthMethod?: Exclude<ClientAuthMethod, "none">;
  /** Who can log in. */
  readonly users?: readonly string[];
  /** The API that access tokens are for. */
  readonly audience?: string;
}

/** The running stand-in. */
export interface OpenidProvider extends AsyncDisposable {
  /** Where it listens, without a slash at its end; browsers may use another name of 127.0.0.1. */
  readonly url: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly audience: string;
  /** Where the client may have people sent back to; add to it at any time. */
  readonly redirectUris: Set<string>;
  /** In order of arrival. */
  readonly calls: readonly ProviderCall[];
  /** How many requests an endpoint has had. */
  count(endpoint: Endpoint): number;
  /** Awaited before every answer: where tests hold requests back. */
  beforeAnswer: ((call: ProviderCall) => void | Promise<void>) | undefined;
  /** While set, every answer has this status, such as 503, or is a broken connection. */
  outage: number | "reset" | undefined;
  /** Makes ID tokens wrong. */
  forgery: Forgery | undefined;
  /** Changes the JSON of an endpoint, after {@linkcode OpenidProvider.forgery}. */
  readonly rewrite: Partial<Record<Endpoint, (body: JsonObject) => JsonObject>>;
  /** Signs with a new key from now on, and does not publish the old one any more. */
  rotateKeys(): Promise<void>;
  /** The user that an access token for the audience stands for (RFC 9068), or undefined if it is not good. */
  subjectOf(accessToken: string): Promise<string | undefined>;
}

/** Starts the provider on a free port; the package is loaded with the first request. */
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
  const storage = openStorage();
  let key = await generateSigningKey();
  let engine: Promise<LibraryProvider> | undefined;

  async function falsify(path: string, real: JsonObject): Promise<JsonObject> {
    const { forgery, rewrite } = provider;
    let body = real;
    if (typeof body.id_token === "string" && forgery !== undefined) {
      body = { ...body, id_token: await forge(body.id_token, forgery, key) };
    }
    return rewrite[endpointOf(path)]?.(body) ?? body;
  }

  function currentEngine(): Promise<LibraryProvider> {
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
