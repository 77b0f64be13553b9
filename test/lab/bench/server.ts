/** The processes under load, each of them pinned to a processor if the machine allows it. */
import { startServerProcess } from "../../support/server_process.ts";

/** Something that listens on 127.0.0.1; disposing of it kills it. */
export interface Server extends AsyncDisposable {
  /** Undefined for a process that somebody else started: its resource usage is unknown. */
  readonly pid: number | undefined;
  /** Other processes that do a part of its work. */
  readonly helpers?: readonly number[];
  readonly port: number;
}

/** All processes of a server. */
export function pidsOf(
  { pid, helpers = [] }: Server,
): (number | undefined)[] {
  return [pid, ...helpers];
}

/** A process to start. */
export interface ServerOptions {
  /** The program and its arguments; paths are relative to the folder. */
  readonly command: readonly string[];
  /** Variables added to this process's own. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** The processors that it may use, in the syntax of `taskset`; this process's own by default. */
  readonly cpus?: string | undefined;
  /** The folder that it runs in; the root of the repository by default. */
  readonly folder?: URL | undefined;
  /** The port that it will listen on; by default, it announces one in a line of JSON, as the gateway's log does. */
  readonly port?: number;
}

/** The root of the repository. */
export const ROOT = new URL("../../../", import.meta.url);

const START_TIMEOUT_MS = 30_000;

/** The command that runs a script of the repository by `deno run`. */
export function denoCommand(...args: readonly string[]): string[] {
  return [Deno.execPath(), "run", "--quiet", ...args];
}

/**
 * Starts a process and waits until it listens; its other output is discarded.
 *
 * @throws {Error} if it exits before it listens, or takes longer than 30 s: a busy machine compiles a new folder for a while.
 */
export async function startServer(
  { command, environment = {}, cpus, folder = ROOT, port }: ServerOptions,
): Promise<Server> {
  const pin = cpus === undefined ? [] : ["taskset", "--cpu-list", cpus];
  return await startServerProcess({
    command: [...pin, ...command],
    env: environment,
    cwd: folder,
    port,
    timeoutMs: START_TIMEOUT_MS,
  });
}
