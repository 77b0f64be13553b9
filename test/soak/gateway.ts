/** The gateway under test: a process started the way `deno task start` does, whose log is read to the last line. */
import { RUNTIME } from "../lab/attack/small_memory.ts";
import { startServerProcess } from "../support/server_process.ts";

/** A running gateway; disposing of it kills it. */
export interface SoakedGateway extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
  readonly metricsPort: number;
  /** Number of log lines by level and message, such as `INFO request`. */
  readonly logged: ReadonlyMap<string, number>;
  /** The first lines that report a defect: errors in the log, and anything on standard error. */
  readonly complaints: readonly string[];
  /** Sends SIGTERM; resolves to the exit code once all output has been read. */
  stop(): Promise<number>;
}

const ROOT = new URL("../../", import.meta.url);

/** Complaints that are kept. */
const MAX_COMPLAINTS = 20;

/** Longer than a start takes, ms. */
const START_TIMEOUT_MS = 20_000;

/**
 * Starts the gateway; `environment` is added to this process's own.
 *
 * @throws {Error} if it exits before it listens, or takes longer than 20 s.
 */
export async function startSoakedGateway(
  environment: Readonly<Record<string, string>>,
): Promise<SoakedGateway> {
  const logged = new Map<string, number>();
  const complaints: string[] = [];
  let metricsPort = NaN;

  function complain(line: string): void {
    if (complaints.length < MAX_COMPLAINTS) complaints.push(line);
  }

  const child = await startServerProcess({
    command: [
      ...[Deno.execPath(), "run", "--no-prompt", "--quiet", "-P=start"],
      "src/main.ts",
    ],
    cwd: ROOT,
    env: {
      ...RUNTIME,
      ...environment,
      NO_COLOR: "1",
      PROXY_PORT: "0",
      METRICS_PORT: "0",
    },
    onLine(line) {
      const { level, message, ...facts } = JSON.parse(line);
      const key = `${level} ${message}`;
      logged.set(key, (logged.get(key) ?? 0) + 1);
      if (level === "ERROR" || level === "FATAL") complain(line);
      if (message === "listening") metricsPort = facts.metricsPort;
    },
    onErrorLine: complain,
    timeoutMs: START_TIMEOUT_MS,
  });
  return {
    pid: child.pid,
    port: child.port,
    metricsPort,
    logged,
    complaints,
    stop: async () => (await child.end("SIGTERM")).code,
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}
