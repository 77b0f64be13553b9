/** Who is measured: the gateway, and what it is compared with. */
import { startNginx } from "./nginx.ts";
import type { Peer } from "./options.ts";
import { denoCommand, startTarget, type Target } from "./target.ts";
import type { World } from "./world.ts";

/** Something that answers requests. */
export interface Contestant {
  readonly name: string;
  /** How long load warms it, in seconds: V8 goes on compiling for some. */
  readonly warmUpSec: number;
  start(world: World): Promise<Target>;
}

/** Where the sandboxes are, as clients name them. */
export const HOSTS = {
  public: "3000-demo.proxy.localhost",
  private: "3000-locked.proxy.localhost",
} as const;

const COMPILED_SEC = 1;
const COMPILING_SEC = 10;

/** Bounds that are there against too much of it, wider than what the scenarios need. */
const WIDE_BOUNDS = {
  MAX_CONCURRENT_EXCHANGES: "20000",
  MAX_EXCHANGES_PER_SANDBOX: "20000",
  MAX_TUNNELS: "20000",
  // All load comes from one address, as that of a thousand clients does not.
  REFUSALS_PER_MINUTE: "100000",
};

/**
 * While one contestant is measured the others rest, and V8 takes a rest of some ten seconds for a time to give memory
 * back: what it drops with that costs half as much again for the first seconds of the next round.
 */
const RESTING_FLAG = "--v8-flags=--no-memory-reducer";

/** How a gateway differs from the usual one. */
export interface GatewayVariant {
  readonly name?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Flags of `deno run`. */
  readonly flags?: readonly string[];
  /** In place of the proxies' processor. */
  readonly cpus?: string;
}

/** A gateway as `deno task start` runs it, access log included, with a KV database in memory for its durable tier. */
export function gateway(variant: GatewayVariant = {}): Contestant {
  const { name = "gateway", environment, flags = [], cpus } = variant;
  return {
    name,
    warmUpSec: COMPILING_SEC,
    start: ({ stack, proxyCpu }) =>
      startTarget({
        command: denoCommand(
          RESTING_FLAG,
          ...flags,
          "-P=start",
          "src/main.ts",
        ),
        environment: {
          ...stack.environment,
          ...WIDE_BOUNDS,
          ...environment,
          PROXY_PORT: "0",
        },
        cpus: cpus ?? proxyCpu,
      }),
  };
}

/** The gateway that most scenarios share. */
export const GATEWAY = gateway();

function script(name: string, file: string): Contestant {
  return {
    name,
    warmUpSec: COMPILING_SEC,
    start: ({ runner, proxyCpu }) =>
      startTarget({
        command: denoCommand(
          RESTING_FLAG,
          "-P=bench",
          `scripts/bench/servers/${file}`,
          `http://127.0.0.1:${runner.port}`,
        ),
        cpus: proxyCpu,
      }),
  };
}

/** What a plain reverse proxy on the same platform does. */
export const FETCH_PROXY = script("fetch proxy", "fetch_proxy.ts");

/** The least that a proxy on this platform has to do, and less than one may. */
export const LEAST_PROXY = script("least proxy", "least_proxy.ts");

/** A plain one on the gateway's own HTTP/1.1 client. */
export const CLIENT_PROXY = script("client proxy", "client_proxy.ts");

/** The same for WebSockets. */
export const WEBSOCKET_RELAY = script("bare relay", "websocket_relay.ts");

/** What the platform's server takes by itself: the runner, on the proxies' processor. */
export const SERVE = script("Deno.serve alone", "stub_runner.ts");

function nginx(name: string, logs: boolean): Contestant {
  return {
    name,
    warmUpSec: COMPILED_SEC,
    start: ({ runner, proxyCpu }) =>
      startNginx({ upstreamPort: runner.port, logs, cpus: proxyCpu }),
  };
}

/** nginx without an access log. */
export const NGINX = nginx("nginx", false);

/** nginx with one, buffered: the gateway writes one too. */
export const NGINX_LOGGING = nginx("nginx, logging", true);

/** The runner without anything in front. */
export const DIRECT: Contestant = {
  name: "direct",
  warmUpSec: COMPILED_SEC,
  start: ({ runner: { pid, port } }) =>
    Promise.resolve({ pid, port, [Symbol.asyncDispose]: async () => {} }),
};

function peer({ name, port }: Peer): Contestant {
  return {
    name,
    warmUpSec: COMPILING_SEC,
    start: () =>
      Promise.resolve({
        pid: undefined,
        port,
        [Symbol.asyncDispose]: async () => {},
      }),
  };
}

/** Those of `contestants` that can take part on this machine, and every peer. */
export function present(
  { hasNginx, peers }: World,
  contestants: readonly Contestant[],
): Contestant[] {
  return [
    ...contestants.filter((contestant) =>
      hasNginx || contestant !== NGINX && contestant !== NGINX_LOGGING
    ),
    ...peers.map(peer),
  ];
}
