/** A complete gateway in front of the test stack, on a free port of 127.0.0.1, with two independent clients. */
import { Agent, createServer, type RequestListener } from "node:http";
import { listenOnLoopback } from "../../scripts/stand_in/loopback.ts";
import { type Stack, startStack } from "../../scripts/stand_in/stack.ts";
import { parseConfig } from "../../src/config/config.ts";
import { listen } from "../../src/downstream/http/listen.ts";
import type { GatewayService } from "../../src/server/run.ts";
import { SECTIONS } from "../../src/modules.ts";
import { createService, type ServiceOptions } from "../../src/service.ts";
import { testFeatures } from "./own_features.ts";
import { type RawStream, rawStream } from "./raw_client.ts";
import { type Answer, send, type SendOptions } from "./send.ts";

export type { Answer } from "./send.ts";

/** The gateway's base domain, and its hosts for port 3000 of the stack's public and its private sandbox. */
export const BASE = "proxy.localhost";
export const DEMO = `3000-demo.${BASE}`;
export const LOCKED = `3000-locked.${BASE}`;

/** A running gateway under test. */
export interface TestGateway extends AsyncDisposable {
  readonly stack: Stack;
  readonly service: GatewayService;
  readonly port: number;
  /** Sends a request. */
  send(host: string, options?: SendOptions): Promise<Answer>;
  /** Opens a TCP connection. */
  connect(): Promise<Deno.TcpConn>;
  /** Opens a connection, and sends these bytes, given in Latin-1. */
  open(bytes: string): Promise<RawStream>;
  /** Serves an app on port 8000 of a sandbox, `demo` by default, and returns its preview's host. */
  serve(app: RequestListener, sandboxId?: string): Promise<string>;
}

/** Has who waits for a place of their client's be refused at once, and not after 10 s. */
export const IMPATIENT: Partial<ServiceOptions> = {
  after(_, callback) {
    let isCancelled = false;
    queueMicrotask(() => {
      if (!isCancelled) callback();
    });
    return () => isCancelled = true;
  },
};

/** Starts a gateway; `environment` overrides the stack's, and `options` are passed to the service. */
export async function startGateway(
  environment: Readonly<Record<string, string>> = {},
  options: Partial<ServiceOptions> = {},
): Promise<TestGateway> {
  await using started = new AsyncDisposableStack();
  const stack = started.use(await startStack());
  const gateway = await startGatewayOf(stack, environment, options);
  started.use(gateway);
  const owned = started.move();
  return { ...gateway, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Starts a gateway in front of a stack that may have others, and that the caller disposes of. */
export async function startGatewayOf(
  stack: Stack,
  environment: Readonly<Record<string, string>> = {},
  options: Partial<ServiceOptions> = {},
): Promise<TestGateway> {
  await using started = new AsyncDisposableStack();
  const result = parseConfig(
    { ...stack.environment, ...environment },
    SECTIONS,
  );
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  const service = await createService(result.config, {
    version: "0.0.0",
    features: testFeatures(),
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
    send: (host, options = {}) => send(host, { port, agent, ...options }),
    connect,
    async open(bytes) {
      const stream = rawStream(await connect());
      await stream.write(bytes);
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
