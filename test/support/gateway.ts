/** A complete gateway in front of the test stack, on a free port of 127.0.0.1, with two independent clients. */
import {
  Agent,
  createServer,
  request as httpRequest,
  type RequestListener,
} from "node:http";
import { listenOnLoopback } from "../../scripts/stand_in/loopback.ts";
import { type Stack, startStack } from "../../scripts/stand_in/stack.ts";
import { parseConfig } from "../../src/config/config.ts";
import { listen } from "../../src/server/http_server.ts";
import type { GatewayService } from "../../src/server/run.ts";
import { createService, type ServiceOptions } from "../../src/service.ts";
import { type RawStream, rawStream } from "./raw_client.ts";

/** The gateway's base domain, and its hosts for port 3000 of the stack's public and its private sandbox. */
export const BASE = "proxy.localhost";
export const DEMO = `3000-demo.${BASE}`;
export const LOCKED = `3000-locked.${BASE}`;

/** A running gateway under test. */
export interface TestGateway extends AsyncDisposable {
  readonly stack: Stack;
  readonly service: GatewayService;
  readonly port: number;
  /** Sends a request by node:http, which preserves the request-target and the order of fields. */
  send(host: string, options?: SendOptions): Promise<Answer>;
  /** Opens a TCP connection. */
  connect(): Promise<Deno.TcpConn>;
  /** Opens a connection, and sends these octets, given in Latin-1. */
  open(octets: string): Promise<RawStream>;
  /** Serves an app on port 8000 of a sandbox, `demo` by default, and returns its preview's host. */
  serve(app: RequestListener, sandboxId?: string): Promise<string>;
}

/** A request; GET by default. */
export interface SendOptions {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** A complete response. */
export interface Answer {
  readonly status: number;
  /** The gateway's error code; null if the response is the app's. */
  readonly code: string | null;
  readonly headers: Headers;
  /** Names and values, alternating, as received. */
  readonly rawHeaders: readonly string[];
  readonly body: string;
  readonly bytes: Uint8Array;
  json(): Record<string, unknown>;
  /** The fields that the app received, by lower-case name, according to its `/echo`. */
  echoed(): Map<string, string>;
}

/** Starts a gateway; `environment` overrides the stack's, and `options` are passed to the service. */
export async function startGateway(
  environment: Readonly<Record<string, string>> = {},
  options: Partial<ServiceOptions> = {},
): Promise<TestGateway> {
  await using started = new AsyncDisposableStack();
  const stack = started.use(await startStack());
  const result = parseConfig({ ...stack.environment, ...environment });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  const service = await createService(result.config, {
    version: "0.0.0",
    ...options,
  });
  started.defer(() => service.close());
  const listener = listen(service.fetch, { hostname: "127.0.0.1", port: 0 });
  started.defer(() => listener.close());
  const agent = new Agent({ keepAlive: false });
  started.defer(() => agent.destroy());

  const { port } = listener;
  const connect = () => Deno.connect({ hostname: "127.0.0.1", port });
  const owned = started.move();
  return {
    stack,
    service,
    port,
    send: (host, options = {}) => send({ host, port, agent, ...options }),
    connect,
    async open(octets) {
      const stream = rawStream(await connect());
      await stream.write(octets);
      return stream;
    },
    async serve(app, sandboxId = "demo") {
      const { port } = owned.use(await listenOnLoopback(createServer(app)));
      stack.runner.containers.get(sandboxId)?.ports.set(8000, port);
      return `8000-${sandboxId}.${BASE}`;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function send(
  options: SendOptions & { host: string; port: number; agent: Agent },
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const request = httpRequest({
    hostname: "127.0.0.1",
    port: options.port,
    agent: options.agent,
    method: options.method ?? "GET",
    path: options.path ?? "/",
    headers: { host: options.host, ...options.headers },
  });
  request.on("error", reject);
  request.on("response", async (response) => {
    try {
      const chunks: Uint8Array[] = [];
      for await (const chunk of response) chunks.push(chunk);
      const bytes = new Uint8Array(
        await new Blob(chunks as BlobPart[]).arrayBuffer(),
      );
      const body = new TextDecoder().decode(bytes);
      const headers = new Headers();
      const raw = response.rawHeaders;
      for (let i = 0; i < raw.length; i += 2) {
        headers.append(raw[i] ?? "", raw[i + 1] ?? "");
      }
      resolve({
        status: response.statusCode ?? 0,
        code: headers.get("x-porthole-error"),
        headers,
        rawHeaders: raw,
        body,
        bytes,
        json: () => JSON.parse(body),
        echoed() {
          const fields: [string, string][] = JSON.parse(body).headers;
          return new Map(
            fields.map(([name, value]) => [name.toLowerCase(), value]),
          );
        },
      });
    } catch (error) {
      reject(error);
    }
  });
  request.end(options.body);
  return promise;
}
