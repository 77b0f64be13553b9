/** A gateway of a laboratory: a process started the way `deno task start` does, whose log is read. */
import { startServerProcess } from "../../support/server_process.ts";

/** A running gateway; disposing of it kills it. */
export interface GatewayProcess extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
  /** Zero if its settings ask for no metrics. */
  readonly metricsPort: number;
  /** The number of log lines by level and message, such as `INFO request`. */
  readonly logged: ReadonlyMap<string, number>;
  /** The first lines that report a defect: errors in the log, and anything on standard error. */
  readonly complaints: readonly string[];
  /** Whether it has exited. */
  readonly hasExited: boolean;
  /**
   * Sends SIGTERM; resolves to the time until the drain began, by the gateway's log, in ms, or to infinity if it has not
   * within `timeoutMs` ms.
   */
  askToStop(timeoutMs: number): Promise<number>;
  /** Waits for the exit for at most `timeoutMs` ms; resolves to its code, or undefined. */
  exitCode(timeoutMs: number): Promise<number | undefined>;
}

const ROOT = new URL("../../../", import.meta.url).pathname;

/** Complaints that are kept. */
const MAX_COMPLAINTS = 5;

/** Longer than a start takes on a busy machine, ms. */
const START_TIMEOUT_MS = 30_000;

/** How to start it. */
export interface GatewayProcessOptions {
  /** The checkout to run; this one by default. */
  readonly folder?: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
  /** Any free one by default. */
  readonly port?: number;
  /** What the command begins with, such as what limits its memory. */
  readonly prefix?: readonly string[];
  /** Further options of `deno run`. */
  readonly flags?: readonly string[];
}

/**
 * Starts a gateway; `environment` is added to this process's own.
 *
 * @throws {Error} if it exits before it listens, or takes longer than 30 s.
 */
export async function startGatewayProcess(
  { folder = ROOT, environment, port: wanted = 0, prefix = [], flags = [] }:
    GatewayProcessOptions,
): Promise<GatewayProcess> {
  const certificate = environment.TLS_CERT_FILE?.replace(/\/[^/]+$/, "");
  const logged = new Map<string, number>();
  const complaints: string[] = [];
  const draining = Promise.withResolvers<number>();
  let metricsPort = 0;
  let hasExited = false;

  function complain(line: string): void {
    if (complaints.length < MAX_COMPLAINTS) complaints.push(line);
  }

  const child = await startServerProcess({
    command: [
      ...prefix,
      ...[Deno.execPath(), "run", "--no-prompt", "--quiet", "-P=start"],
      // Another checkout may not read the certificate of this one.
      ...certificate === undefined
        ? []
        : [`--allow-read=./data,${certificate}`],
      ...flags,
      "src/main.ts",
    ],
    cwd: folder,
    env: { ...environment, NO_COLOR: "1", PROXY_PORT: String(wanted) },
    onLine(line) {
      if (!line.startsWith("{")) return complain(line);
      const { level, message, ...facts } = JSON.parse(line);
      const kind = `${level} ${message}`;
      logged.set(kind, (logged.get(kind) ?? 0) + 1);
      if (message === "listening") metricsPort = facts.metricsPort ?? 0;
      if (message === "draining") {
        draining.resolve(Date.parse(facts["@timestamp"]));
      }
      if (level === "ERROR" || level === "FATAL") complain(line);
    },
    onErrorLine: complain,
    timeoutMs: START_TIMEOUT_MS,
  });
  child.exited.then(() => hasExited = true);
  const { pid, port } = child;
  return {
    pid,
    port,
    metricsPort,
    logged,
    complaints,
    get hasExited() {
      return hasExited;
    },
    async askToStop(timeoutMs) {
      if (hasExited) return Infinity;
      const askedAt = Date.now();
      Deno.kill(pid, "SIGTERM");
      const begunAt = await within(draining.promise, timeoutMs);
      return begunAt === undefined ? Infinity : Math.max(0, begunAt - askedAt);
    },
    exitCode: async (timeoutMs) =>
      (await within(child.exited, timeoutMs))?.code,
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

/** What a promise resolves to; undefined if it takes longer than `timeoutMs` ms. */
async function within<T>(
  promise: Promise<T>,
  timeoutMs: number,
): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(late.resolve, timeoutMs, undefined);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
