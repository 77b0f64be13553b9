/** A complete gateway in front of the test stack, on a free port of 127.0.0.1, with two independent clients. */
import { Agent, request as httpRequest } from "node:http";
import { type Stack, startStack } from "../../scripts/stand_in/stack.ts";
import { parseConfig } from "../../src/config/config.ts";
import { listen } from "../../src/server/listen.ts";
import type { GatewayService } from "../../src/server/run.ts";
import { createService, type ServiceOptions } from "../../src/service.ts";

/** A running gateway under test. */
export interface TestGateway extends AsyncDisposable {
  readonly stack: Stack;
  readonly service: GatewayService;
  readonly port: number;
  /** Sends a request by node:http, which preserves the request-target and the order of fields. */
  send(host: string, options?: SendOptions): Promise<Answer>;
  /** Opens a TCP connection. */
  connect(): Promise<Deno.TcpConn>;
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
  readonly headers: Headers;
  /** Names and values, alternating, as received. */
  readonly rawHeaders: readonly string[];
  readonly body: string;
  readonly bytes: Uint8Array;
  json(): Record<string, unknown>;
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
  const owned = started.move();
  return {
    stack,
    service,
    port,
    send: (host, options = {}) => send({ host, port, agent, ...options }),
    connect: () => Deno.connect({ hostname: "127.0.0.1", port }),
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
        headers,
        rawHeaders: raw,
        body,
        bytes,
        json: () => JSON.parse(body),
      });
    } catch (error) {
      reject(error);
    }
  });
  request.end(options.body);
  return promise;
}
