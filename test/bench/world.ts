/**
 * The parts that all scenarios share: the API and the runner behind every proxy, and the proxies, each started once.
 */
import {
  RUNNER_ID,
  type Stack,
  startStack,
} from "../../scripts/stand_in/stack.ts";
import { isInstalled } from "../support/programs.ts";
import { pinSelf } from "./machine.ts";
import type { Peer } from "./options.ts";
import { denoCommand, type Server, startServer } from "./server.ts";

/** Something that answers requests. */
export interface Contestant {
  readonly name: string;
  /** Seconds of load to warm it up: V8 keeps compiling for a while. */
  readonly warmUpSec: number;
  start(world: World): Promise<Server>;
}

/** The parts that all scenarios share. */
export interface World extends AsyncDisposable {
  /** The test stack; its API says that every sandbox is on the stub runner. */
  readonly stack: Stack;
  /** The stub runner: the upstream of every proxy. */
  readonly runner: Server;
  /** The processor for proxies; load, API and runner use another one. Undefined if processes cannot be pinned. */
  readonly proxyCpu: string | undefined;
  readonly hasNginx: boolean;
  readonly peers: readonly Peer[];
  /** Starts the contestant unless it is running, and warms it up. */
  warm(
    contestant: Contestant,
    drive: (server: Server, seconds: number) => Promise<unknown>,
  ): Promise<Server>;
  /** Stops contestants that no other scenario needs. */
  end(contestants: readonly Contestant[]): Promise<void>;
}

const PROXY_CPU = 0;
const LOAD_CPU = 1;

/** Warm-up of a contestant that is warm but new to this load, in seconds. */
const REWARM_SEC = 1;

/** Starts the API and the runner, and pins this process to the processor for load. */
export async function startWorld(peers: readonly Peer[]): Promise<World> {
  const isPinned = await pinSelf(LOAD_CPU);
  await using started = new AsyncDisposableStack();
  const stack = started.use(await startStack());
  const runner = started.use(
    await startServer({
      command: denoCommand("-P=bench", "test/bench/servers/stub_runner.ts"),
    }),
  );
  moveSandboxes(stack, runner);
  const servers = new Map<string, Server>();
  started.defer(async () => {
    for (const server of servers.values()) await server[Symbol.asyncDispose]();
  });
  const owned = started.move();
  const world: World = {
    stack,
    runner,
    proxyCpu: isPinned ? `${PROXY_CPU}` : undefined,
    hasNginx: await isInstalled("nginx"),
    peers,
    async warm(contestant, drive) {
      const known = servers.get(contestant.name);
      const server = known ?? await contestant.start(world);
      servers.set(contestant.name, server);
      await drive(
        server,
        known === undefined ? contestant.warmUpSec : REWARM_SEC,
      );
      return server;
    },
    async end(contestants) {
      for (const { name } of contestants) {
        await servers.get(name)?.[Symbol.asyncDispose]();
        servers.delete(name);
      }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
  return world;
}

/** Makes the API report that all sandboxes are on the stub runner. */
function moveSandboxes({ api }: Stack, runner: Server): void {
  const known = api.state.runners.get(RUNNER_ID);
  if (known === undefined) throw new TypeError("The stack has no runner");
  const proxyUrl = `http://127.0.0.1:${runner.port}`;
  api.state.runners.set(RUNNER_ID, { ...known, proxyUrl });
}

/** Adds public sandboxes to the API, on the same runner as the others. */
export function addSandboxes({ api }: Stack, ids: readonly string[]): void {
  for (const id of ids) {
    api.state.sandboxes.set(id, {
      id,
      public: true,
      authToken: `${id}-token`,
      runnerId: RUNNER_ID,
      state: "started",
    });
  }
}
