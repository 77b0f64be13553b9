/** The gateway under attack: a process started the way `deno task start` does, with a limit of its memory. */
import { startServerProcess } from "../../support/server_process.ts";

/** A running gateway; disposing of it kills it. */
export interface AttackedGateway extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
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

/** Complaints that are kept. */
const MAX_COMPLAINTS = 5;

/** Longer than a start takes on a busy machine, ms. */
const START_TIMEOUT_MS = 30_000;

/** How to start it. */
export interface AttackedGatewayOptions {
  /** The checkout to run. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  /** What the command begins with: what limits its memory. */
  readonly prefix: readonly string[];
}

/**
 * Starts a gateway; `environment` is added to this process's own.
 *
 * @throws {Error} if it exits before it listens, or takes longer than 30 s.
 */
export async function startAttackedGateway(
  { folder, environment, prefix }: AttackedGatewayOptions,
): Promise<AttackedGateway> {
  const certificate = environment.TLS_CERT_FILE?.replace(/\/[^/]+$/, "");
  const complaints: string[] = [];
  const draining = Promise.withResolvers<number>();
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
      // It is to believe that it has a container of that size.
      ...prefix.length === 0 ? ["--deny-sys=systemMemoryInfo"] : [],
      "src/main.ts",
    ],
    cwd: folder,
    env: { ...environment, NO_COLOR: "1", PROXY_PORT: "0" },
    onLine(line) {
      if (line.includes('"message":"draining"')) {
        draining.resolve(Date.parse(JSON.parse(line)["@timestamp"]));
      }
      if (/"level":"(?:ERROR|FATAL)"/.test(line)) complain(line);
    },
    onErrorLine: complain,
    timeoutMs: START_TIMEOUT_MS,
  });
  child.exited.then(() => hasExited = true);
  const { pid, port } = child;
  return {
    pid,
    port,
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
