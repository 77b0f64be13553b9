/** What is measured, one row of the report each: add a scenario here. */
import { KEYS, type Stack } from "../../test/stack/stack.ts";
import { startTarget, type Target } from "./target.ts";

/** What all scenarios share. */
export interface World {
  /** The stub runner: the upstream of every proxy. */
  readonly runner: Target;
  /** Whose API sends the gateway to the stub runner, for any sandbox. */
  readonly stack: Pick<Stack, "environment">;
  /** The processor that proxies are pinned to; undefined for any. */
  readonly proxyCpu: number | undefined;
}

/** What to start and what to send. */
export interface Scenario {
  readonly name: string;
  /** The process to put under load. */
  start(world: World): Target | Promise<Target>;
  /** Fields of the requests; `wrk` adds a Host of its own unless there is one spelled like that. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A gateway as `deno task start` runs it, access log included, with its caches in memory. */
function startGateway({ stack, proxyCpu }: World): Promise<Target> {
  return startTarget({
    args: ["-P=start", "src/main.ts"],
    environment: { ...stack.environment, PROXY_PORT: "0" },
    cpu: proxyCpu,
  });
}

/** The gateway on a public sandbox. */
export const GATEWAY: Scenario = {
  name: "gateway",
  start: startGateway,
  headers: { Host: "3000-demo.proxy.localhost" },
};

/** The gateway on a sandbox that a token opens. */
export const GATEWAY_TOKEN: Scenario = {
  name: "gateway + token",
  start: startGateway,
  headers: {
    "Host": "3000-locked.proxy.localhost",
    "X-Daytona-Preview-Token": KEYS.lockedToken,
  },
};

/** What a plain reverse proxy on the same platform does. */
export const FETCH_PROXY: Scenario = {
  name: "fetch proxy",
  start: ({ runner, proxyCpu }) =>
    startTarget({
      args: [
        "-P=bench",
        "scripts/bench/fetch_proxy.ts",
        `http://127.0.0.1:${runner.port}`,
      ],
      cpu: proxyCpu,
    }),
  headers: {},
};

/** What there is to be had. */
export const DIRECT: Scenario = {
  name: "no proxy",
  start: ({ runner }) => runner,
  headers: {},
};
