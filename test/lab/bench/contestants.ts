/** The contestants: the gateway, and the servers that it is compared with. */
import { startGoProxy } from "./go_proxy.ts";
import { startNginx } from "./nginx.ts";
import type { Peer } from "./options.ts";
import { denoCommand, type Server, startServer } from "./server.ts";
import type { Contestant, World } from "./world.ts";

/** The preview hosts of the sandboxes. */
export const HOSTS = {
  public: "3000-demo.proxy.localhost",
  private: "3000-locked.proxy.localhost",
} as const;

/** The warm-up of programs that are compiled before, s. */
export const COMPILED_SEC = 1;
const COMPILING_SEC = 10;

/** Limits against overload, raised beyond what the scenarios need. */
export const RAISED_LIMITS = {
  MAX_CONCURRENT_EXCHANGES: "20000",
  MAX_EXCHANGES_PER_SANDBOX: "20000",
  // All connections are to one sandbox, which may have a quarter.
  MAX_WAITING_PER_RUNNER: "80000",
  MAX_TUNNELS: "20000",
  MAX_EXCHANGES_PER_CLIENT: "20000",
  MAX_TUNNELS_PER_CLIENT: "20000",
  // Unlike the load of a thousand clients, all of this comes from one address.
  REFUSALS_PER_MINUTE: "100000",
};

/**
 * While one contestant is measured, the others are idle, and after some ten idle seconds V8 releases memory and
 * discards compiled code: requests would then cost half as much again in the first seconds of the next round.
 */
export const IDLE_FLAG = "--v8-flags=--no-memory-reducer";

/** The differences of a gateway from the usual one. */
export interface GatewayVariant {
  readonly name?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Flags of `deno run`. */
  readonly flags?: readonly string[];
  /** Where its source is, if not here. */
  readonly folder?: URL;
}

/**
 * A gateway as `deno task start` runs it, including the access log, with an in-memory KV database as its durable tier.
 */
export function gateway(variant: GatewayVariant = {}): Contestant {
  const { name = "gateway", environment, flags = [], folder } = variant;
  return {
    name,
    warmUpSec: COMPILING_SEC,
    start: ({ stack, proxyCpu }) =>
      startServer({
        command: denoCommand(
          IDLE_FLAG,
          ...flags,
          "-P=start",
          "src/main.ts",
        ),
        environment: {
          ...stack.environment,
          ...RAISED_LIMITS,
          ...environment,
          PROXY_PORT: "0",
        },
        cpus: proxyCpu,
        folder,
      }),
  };
}

/** The gateway that most scenarios share. */
export const GATEWAY = gateway();

/** A gateway that finds the hosted stand-in's names, of which no DNS knows. */
export function standIn(
  name: string,
  environment: Readonly<Record<string, string>>,
): Contestant {
  return {
    name,
    warmUpSec: COMPILING_SEC,
    start: ({ proxyCpu }) =>
      startServer({
        command: denoCommand(
          IDLE_FLAG,
          "-P=bench",
          "test/support/hosted_main.ts",
        ),
        environment: { ...environment, ...RAISED_LIMITS, PROXY_PORT: "0" },
        cpus: proxyCpu,
      }),
  };
}

/** Starts a script of `servers/` on the processor for proxies. */
export function startScript(
  { proxyCpu }: Pick<World, "proxyCpu">,
  file: string,
  ...args: string[]
): Promise<Server> {
  return startServer({
    command: denoCommand(
      IDLE_FLAG,
      "-P=bench",
      `test/lab/bench/servers/${file}`,
      ...args,
    ),
    cpus: proxyCpu,
  });
}

/** A script of `servers/`; its origin is that of the stub runner unless there is another. */
export function script(
  name: string,
  file: string,
  origin?: string,
): Contestant {
  return {
    name,
    warmUpSec: COMPILING_SEC,
    start: (world) =>
      startScript(
        world,
        file,
        origin ?? `http://127.0.0.1:${world.runner.port}`,
      ),
  };
}

/** A plain reverse proxy on the same platform. */
export const FETCH_PROXY = script("fetch proxy", "fetch_proxy.ts");

/** The minimum of work for a proxy on this platform: too little for a real one. */
export const LEAST_PROXY = script("least proxy", "least_proxy.ts");

/** A plain reverse proxy on the gateway's own HTTP/1.1 client. */
export const CLIENT_PROXY = script("client proxy", "client_proxy.ts");

/** A plain relay for WebSockets on the same platform. */
export const WEBSOCKET_RELAY = script("bare relay", "websocket_relay.ts");

/** TLS alone on the same platform, over HTTP/1.1. */
export const TLS_RELAY = script("bare TLS relay", "tls_relay.ts");

/** The platform's HTTP server alone: the stub runner, on the processor for proxies. */
export const SERVE = script("Deno.serve alone", "stub_runner.ts");

function nginx(name: string, logs: boolean): Contestant {
  return {
    name,
    needs: "nginx",
    warmUpSec: COMPILED_SEC,
    start: ({ runner, proxyCpu }) =>
      startNginx({ upstreamPorts: [runner.port], logs, cpus: proxyCpu }),
  };
}

/** Go's own reverse proxy. */
export const GO_PROXY: Contestant = {
  name: "Go proxy",
  needs: "go",
  warmUpSec: COMPILED_SEC,
  start: ({ runner, proxyCpu }) => startGoProxy(runner.port, proxyCpu),
};

/** nginx without an access log. */
export const NGINX = nginx("nginx", false);

/** nginx with a buffered access log, as the gateway has. */
export const NGINX_LOGGING = nginx("nginx, logging", true);

/** The stub runner without a proxy. */
export const DIRECT: Contestant = {
  name: "direct",
  warmUpSec: COMPILED_SEC,
  start: ({ runner }) => Promise.resolve(lent(runner)),
};

/** A server that somebody else ends. */
export function lent({ pid, port }: Pick<Server, "pid" | "port">): Server {
  return { pid, port, [Symbol.asyncDispose]: async () => {} };
}

function peer({ name, port }: Peer): Contestant {
  return {
    name,
    warmUpSec: COMPILING_SEC,
    start: () => Promise.resolve(lent({ pid: undefined, port })),
  };
}

/** The contestants that are available on this machine, and every peer. */
export function present(
  { missing, peers }: World,
  contestants: readonly Contestant[],
): Contestant[] {
  return [
    ...contestants.filter(({ needs }) =>
      needs === undefined || !missing.has(needs)
    ),
    ...peers.map(peer),
  ];
}
