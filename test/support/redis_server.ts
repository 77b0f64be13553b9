/** A real Redis server on a free port of 127.0.0.1, and a client of its own to play Daytona's part. */
import { createClient } from "redis";
import { freePort } from "./free_port.ts";

/** How a server is started. */
export interface RedisServerOptions {
  /** A free one unless given. */
  readonly port?: number;
  /** More of its command line; `--port` is set already. */
  readonly args?: readonly string[];
}

/** A running server. */
export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  /** Runs a command on a connection of its own. */
  command(...args: string[]): Promise<unknown>;
  /** Holds the process, so that it takes connections and answers nothing, and lets it go on. */
  hold(): void;
  goOn(): void;
}

const PROGRAM = "redis-server";
const BASE_ARGS = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
const MAX_TRIES = 5;

/** Why there is no server to test with; undefined where there is one. */
const absence = await whyAbsent();

async function whyAbsent(): Promise<string | undefined> {
  const run = { name: "run", command: PROGRAM } as const;
  if ((await Deno.permissions.query(run)).state !== "granted") {
    return `no permission to run ${PROGRAM}`;
  }
  try {
    await new Deno.Command(PROGRAM, { args: ["--version"] }).output();
    return undefined;
  } catch {
    return `no ${PROGRAM} on this machine`;
  }
}

/** Declares a test that needs a server; where there is none it is ignored, and its name says why. */
export function redisTest(
  name: string,
  fn: (t: Deno.TestContext) => Promise<void>,
): void {
  const ignore = absence !== undefined;
  Deno.test({ name: ignore ? `${name} [${absence}]` : name, ignore, fn });
}

/** Starts a server. */
export async function startRedis(
  { port, args = [] }: RedisServerOptions = {},
): Promise<RedisServer> {
  for (let attempt = 1;; attempt++) {
    const chosen = port ?? freePort();
    const child = new Deno.Command(PROGRAM, {
      args: ["--port", String(chosen), ...BASE_ARGS, ...args],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const log = readLog(child.stdout);
    if (await log.isReady) return runningServer(chosen, child, log.ended);
    // Somebody took the port since it was chosen.
    const { code } = await child.status;
    if (attempt === MAX_TRIES) {
      throw new Error(`${PROGRAM} ended with ${code} on port ${chosen}`);
    }
  }
}

/** Tells whether the server came up, and reads its log on, so that it never waits for a reader. */
function readLog(
  log: ReadableStream<Uint8Array>,
): { isReady: Promise<boolean>; ended: Promise<void> } {
  const ready = Promise.withResolvers<boolean>();
  async function read(): Promise<void> {
    const decoder = new TextDecoder();
    let text = "";
    for await (const part of log) {
      text += decoder.decode(part, { stream: true });
      if (text.includes("Ready to accept connections")) ready.resolve(true);
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
      client.on("error", () => {}); // told by the call that fails
      try {
        await client.connect();
        return await client.sendCommand(args);
      } finally {
        client.destroy();
      }
    },
    hold: () => child.kill("SIGSTOP"),
    goOn: () => child.kill("SIGCONT"),
    async [Symbol.asyncDispose]() {
      if (stopped) return;
      stopped = true;
      child.kill("SIGKILL");
      await Promise.all([child.status, logEnded]);
    },
  };
}
