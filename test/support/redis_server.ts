/** A real Redis server on a free port of 127.0.0.1, and a client to play Daytona's part. */
import { createClient } from "@redis/client";
import type { RedisLocation } from "../../src/config/cache_location.ts";
import { freePort } from "./free_port.ts";
import { testsThatNeed } from "./needs_program.ts";

/** Options of a Redis server. */
export interface RedisServerOptions {
  /** A free port by default. */
  readonly port?: number;
  /** Further command-line arguments. */
  readonly args?: readonly string[];
  /** The configuration of a Sentinel, which keeps in it what it learns; none for a server. */
  readonly sentinelConfig?: string;
}

/** A running Redis server. */
export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  /** Runs a command on a new connection. */
  command(...args: string[]): Promise<unknown>;
  /** Suspends the process: connections are accepted, but nothing is answered. */
  suspend(): void;
  resume(): void;
}

const PROGRAM = "redis-server";
const BASE_ARGS = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
const MAX_ATTEMPTS = 5;

/** Declares a test that needs Redis. */
export const redisTest = await testsThatNeed(PROGRAM);

/** Starts a server. */
export async function startRedis(
  { port, args = [], sentinelConfig }: RedisServerOptions = {},
): Promise<RedisServer> {
  for (let attempt = 1;; attempt++) {
    const chosen = port ?? freePort();
    const ofPort = ["--port", String(chosen)];
    const child = new Deno.Command(PROGRAM, {
      args: sentinelConfig === undefined
        ? [...ofPort, ...BASE_ARGS, ...args]
        : [sentinelConfig, "--sentinel", ...ofPort, ...args],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const log = readLog(child.stdout);
    if (await log.isReady) return runningServer(chosen, child, log.ended);
    // Another process may have taken the port in the meantime.
    const { code } = await child.status;
    if (attempt === MAX_ATTEMPTS) {
      throw new Error(`${PROGRAM} ended with ${code} on port ${chosen}`);
    }
  }
}

/** Reads the server's log to its end, so that the pipe never fills up, and reports whether it became ready. */
function readLog(
  log: ReadableStream<Uint8Array>,
): { isReady: Promise<boolean>; ended: Promise<void> } {
  const ready = Promise.withResolvers<boolean>();
  async function read(): Promise<void> {
    const decoder = new TextDecoder();
    let text = "";
    for await (const part of log) {
      text += decoder.decode(part, { stream: true });
      if (/Ready to accept connections|Sentinel ID is/.test(text)) {
        ready.resolve(true);
      }
    }
    ready.resolve(false);
  }
  return { ended: read(), isReady: ready.promise };
}

function runningServer(
  port: number,
  child: Deno.ChildProcess,
  logEnded: Promise<void>,
): RedisServer {
  let stopped = false;
  return {
    port,
    async command(...args) {
      const client = createClient({
        socket: { host: "127.0.0.1", port, reconnectStrategy: false },
        disableClientInfo: true,
        commandOptions: { timeout: 0 },
      });
      client.on("error", () => {}); // the failing call rejects
      try {
        await client.connect();
        return await client.sendCommand(args);
      } finally {
        client.destroy();
      }
    },
    suspend: () => child.kill("SIGSTOP"),
    resume: () => child.kill("SIGCONT"),
    async [Symbol.asyncDispose]() {
      if (stopped) return;
      stopped = true;
      child.kill("SIGKILL");
      await Promise.all([child.status, logEnded]);
    },
  };
}

/** Starts a Redis Cluster of one server, which has all slots. */
export async function startRedisCluster(
  args: readonly string[] = [],
): Promise<RedisServer> {
  await Deno.mkdir("./data/test", { recursive: true });
  const dir = await Deno.makeTempDir({ dir: "./data/test" });
  const bus = ["--cluster-port", String(freePort())];
  const server = await startRedis({
    args: [
      ...["--cluster-enabled", "yes", "--dir", dir, ...bus],
      ...["--cluster-announce-ip", "127.0.0.1"],
      ...args,
    ],
  });
  await server.command("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
  for (let state = ""; !state.includes("cluster_state:ok");) {
    state = String(await server.command("CLUSTER", "INFO"));
  }
  return {
    ...server,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

/** The location of a Redis on this machine, with these differences. */
export function redisAt(
  port: number,
  differences: Partial<RedisLocation> = {},
): RedisLocation {
  return {
    kind: "redis",
    topology: "primary",
    nodes: [{ hostname: "127.0.0.1", port }],
    primary: "",
    tls: false,
    caFile: undefined,
    username: undefined,
    password: undefined,
    database: 0,
    ...differences,
  };
}
