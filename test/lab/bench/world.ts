/**
 * The parts that all scenarios share: the API and the runner behind every proxy, and the proxies, whose processes go on.
 */
import {
  KEYS,
  RUNNER_ID,
  type Stack,
  startStack,
} from "../../../scripts/stand_in/stack.ts";
import { isInstalled } from "../../support/programs.ts";
import { pinSelf } from "./machine.ts";
import type { Options, Peer } from "./options.ts";
import { denoCommand, type Server, startServer } from "./server.ts";

const PROGRAMS = ["nginx", "caddy", "go", "h2load"] as const;

/** A program that some scenarios measure, or measure by. */
export type Program = typeof PROGRAMS[number];

/** Something that answers requests. */
export interface Contestant {
  readonly name: string;
  /** Seconds of load to warm it up: V8 keeps compiling for a while. */
  readonly warmUpSec: number;
  /** The program without which it cannot be measured, if not every machine has it. */
  readonly needs?: Program;
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
  /** What is not installed here. */
  readonly missing: ReadonlySet<Program>;
  readonly peers: readonly Peer[];
  /** True if a rough answer is enough: one process of each contestant, which is less warm. */
  readonly isQuick: boolean;
  /** Starts the contestant unless it is running, and warms it up: its first process, or another one. */
  warm(
    contestant: Contestant,
    drive: (server: Server, seconds: number) => Promise<unknown>,
    process?: number,
  ): Promise<Server>;
  /** Ends something with the world, if that has not been done before: a run that is interrupted leaves nothing behind. */
  keep<T extends AsyncDisposable>(owned: T): T;
  /** Stops contestants that no other scenario needs. */
  end(contestants: readonly Contestant[]): Promise<void>;
}

const PROXY_CPU = 0;
const LOAD_CPU = 1;

/** Warm-up of a contestant that is warm but new to this load, in seconds. */
const REWARM_SEC = 1;

/** Longest warm-up of a contestant for a rough answer, in seconds. */
const QUICK_WARM_UP_SEC = 4;

/** Starts the API and the runner, and pins this process to the processor for load. */
export async function startWorld(
  { peers, quick }: Pick<Options, "peers" | "quick">,
): Promise<World> {
  const isPinned = await pinSelf(LOAD_CPU);
  await using started = new AsyncDisposableStack();
  const stack = started.use(await startStack());
  const runner = started.use(
    await startServer({
      command: denoCommand("-P=bench", "test/lab/bench/servers/stub_runner.ts"),
    }),
  );
  moveSandboxes(stack, runner);
  const servers = new Map<string, Server[]>();
  async function end(name: string): Promise<void> {
    for (const server of servers.get(name) ?? []) {
      await server[Symbol.asyncDispose]();
    }
    servers.delete(name);
  }
  started.defer(async () => {
    for (const name of servers.keys()) await end(name);
  });
  const owned = started.move();
  const world: World = {
    stack,
    runner,
    proxyCpu: isPinned ? `${PROXY_CPU}` : undefined,
    missing: await missingPrograms(),
    peers,
    isQuick: quick,
    async warm(contestant, drive, process = 0) {
      const { name, warmUpSec } = contestant;
      const running = servers.get(name) ?? [];
      servers.set(name, running);
      const known = running[process];
      const server = known ?? await contestant.start(world);
      running[process] = server;
      const coldSec = quick
        ? Math.min(warmUpSec, QUICK_WARM_UP_SEC)
        : warmUpSec;
      await drive(server, known === undefined ? coldSec : REWARM_SEC);
      return server;
    },
    async end(contestants) {
      for (const { name } of contestants) await end(name);
    },
    keep: (kept) => owned.use(kept),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
  return world;
}

async function missingPrograms(): Promise<Set<Program>> {
  const missing = new Set<Program>();
  for (const program of PROGRAMS) {
    if (!await isInstalled(program)) missing.add(program);
  }
  return missing;
}

/** Makes the API report that all sandboxes are on the stub runner. */
function moveSandboxes({ api }: Stack, runner: Server): void {
  const known = api.state.runners.get(RUNNER_ID);
  if (known === undefined) throw new TypeError("The stack has no runner");
  const proxyUrl = `http://127.0.0.1:${runner.port}`;
  api.state.runners.set(RUNNER_ID, { ...known, proxyUrl });
}

/** Adds a runner on a port of 127.0.0.1 to the API. */
export function addRunner({ api }: Stack, id: string, port: number): void {
  const url = `http://127.0.0.1:${port}`;
  const runner = { id, proxyUrl: url, apiUrl: url, apiKey: KEYS.runner };
  api.state.runners.set(id, runner);
}

/** Adds public sandboxes to the API, by default on the same runner as the others. */
export function addSandboxes(
  { api }: Stack,
  ids: readonly string[],
  runnerId: string = RUNNER_ID,
): void {
  for (const id of ids) {
    api.state.sandboxes.set(id, {
      id,
      public: true,
      authToken: `${id}-token`,
      runnerId,
      state: "started",
    });
  }
}
