/** The gateway as a process of its own, started the way an operator or a platform starts it. */
import { type Answer, send, type SendOptions } from "./send.ts";
import { startServerProcess } from "./server_process.ts";

/** Options of a gateway process. */
export interface ProcessOptions {
  /** Its whole environment, apart from what the runtime needs to find its modules. */
  readonly environment: Readonly<Record<string, string>>;
  /** Options of `deno run`; those of `deno task start` by default. */
  readonly permissions?: readonly string[];
  /** The program; that of `deno task start` by default. */
  readonly entry?: string;
  /** The command, in place of `deno run` with all of that. */
  readonly command?: readonly string[];
}

/** A gateway that listens on a free port of 127.0.0.1; disposing of it kills it. */
export interface GatewayProcess extends AsyncDisposable {
  readonly port: number;
  /** Its log so far. */
  readonly logs: readonly LogRecord[];
  /** Resolves to the first line of the log with that message, past or future; rejects if the process exits first. */
  record(message: string): Promise<LogRecord>;
  /** Sends a request on a connection of its own. */
  ask(host: string, options?: SendOptions): Promise<Answer>;
  /** Sends SIGTERM, as a service manager does, and waits for the exit. */
  stop(): Promise<Deno.CommandStatus>;
  /** Sends a signal, and waits for the exit. */
  end(signal: Deno.Signal): Promise<Deno.CommandStatus>;
}

/** One line of the log. */
export type LogRecord = Readonly<Record<string, unknown>>;

/** Longer than a start takes on a busy machine, ms. */
const START_TIMEOUT_MS = 30_000;

/** The variables by which the runtime finds its modules. */
const RUNTIME_ENVIRONMENT = ["PATH", "HOME", "DENO_DIR", "XDG_CACHE_HOME"];

/** The variables of this process that a runtime with an environment of its own needs. */
export function runtimeEnvironment(): Record<string, string> {
  return Object.fromEntries(
    RUNTIME_ENVIRONMENT.map((name) => [name, Deno.env.get(name)] as const)
      .filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/**
 * Starts a gateway without a terminal or standard input.
 *
 * @throws {Error} with what it wrote to standard error, if it exits before it listens.
 */
export async function startProcess(
  {
    environment,
    permissions = ["-P=start"],
    entry = "src/main.ts",
    command = ["deno", "run", "--no-prompt", "--quiet", ...permissions, entry],
  }: ProcessOptions,
): Promise<GatewayProcess> {
  const logs: LogRecord[] = [];
  const waiting = new Set<() => void>();
  const child = await startServerProcess({
    command,
    clearEnv: true,
    env: { ...runtimeEnvironment(), NO_COLOR: "1", ...environment },
    onLine(line) {
      if (!line.startsWith("{")) return;
      logs.push(JSON.parse(line));
      for (const look of waiting) look();
    },
    onErrorLine() {},
    timeoutMs: START_TIMEOUT_MS,
  });
  return {
    port: child.port,
    logs,
    record(message) {
      const { promise, resolve, reject } = Promise.withResolvers<LogRecord>();
      function look(): void {
        const found = logs.find((record) => record.message === message);
        if (found !== undefined) resolve(found);
      }
      waiting.add(look);
      look();
      child.exited.then(() => reject(new Error(`Ended without '${message}'`)));
      return promise;
    },
    ask: (host, options) => send(host, { port: child.port, ...options }),
    stop: () => child.end("SIGTERM"),
    end: (signal) => child.end(signal),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}
