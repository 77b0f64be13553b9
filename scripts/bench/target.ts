/** The processes under load: each is started pinned to a processor, tells its port, and is ended with the run. */

/** What listens on 127.0.0.1; disposing of it ends it. */
export interface Target extends AsyncDisposable {
  /** Undefined for what somebody else started: what it uses cannot be told then. */
  readonly pid: number | undefined;
  readonly port: number;
}

/** How a target is started. */
export interface TargetOptions {
  /** The program and its arguments; paths are relative to the repository's root. */
  readonly command: readonly string[];
  /** Variables beside those of this process. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** The processors that it may use, as `taskset` takes them; those of this process if not given. */
  readonly cpus?: string | undefined;
  /** Where it listens; if not given, it tells by a line of JSON with a `port`, as the gateway's log does. */
  readonly port?: number;
}

const ROOT = new URL("../../", import.meta.url);

/** What follows the digits shows that none is missing. */
const ANNOUNCEMENT = /"port":(\d+)\D/;

const START_TIMEOUT_MS = 10_000;
const RETRY_MS = 10;

/** The command that runs a script of the repository as `deno run` does. */
export function denoCommand(...args: readonly string[]): string[] {
  return [Deno.execPath(), "run", "--quiet", ...args];
}

/**
 * Starts a process and waits until it listens; what it prints besides is read and thrown away.
 *
 * @throws {Error} If it ends before it listens, or takes longer than 10 s.
 */
export async function startTarget(options: TargetOptions): Promise<Target> {
  const { command, environment = {}, cpus } = options;
  const pin = cpus === undefined ? [] : ["taskset", "--cpu-list", cpus];
  const [program = "", ...args] = [...pin, ...command];
  const child = new Deno.Command(program, {
    args,
    env: environment,
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const output = child.stdout.pipeThrough(new TextDecoderStream());

  async function end(): Promise<void> {
    try {
      child.kill("SIGKILL");
    } catch {
      // It had ended by itself.
    }
    await child.status;
  }

  const overdue = setTimeout(() => child.kill("SIGKILL"), START_TIMEOUT_MS);
  try {
    const port = options.port ?? await announcedPort(output);
    const drained = output.pipeTo(new WritableStream());
    if (options.port !== undefined) {
      const ended = child.status.then(() => {
        throw new Error(`${program} ended before it listened`);
      });
      await Promise.race([listening(port), ended]);
      ended.catch(() => {}); // later on it is meant to end
    }
    return {
      pid: child.pid,
      port,
      async [Symbol.asyncDispose]() {
        await end();
        await drained;
      },
    };
  } catch (error) {
    await end();
    throw error;
  } finally {
    clearTimeout(overdue);
  }
}

async function announcedPort(output: ReadableStream<string>): Promise<number> {
  let text = "";
  for await (const part of output.values({ preventCancel: true })) {
    text += part;
    const port = ANNOUNCEMENT.exec(text)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error(`A target ended before it listened, saying: ${text}`);
}

/**
 * Waits until somebody listens on a port of 127.0.0.1.
 *
 * @throws {Error} If nobody does within `timeoutMs` ms.
 */
export async function listening(
  port: number,
  timeoutMs: number = START_TIMEOUT_MS,
): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs;
  while (true) {
    try {
      return (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    } catch (cause) {
      if (performance.now() > giveUpAt) {
        throw new Error(`Nobody listens on port ${port}`, { cause });
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

/** A port of 127.0.0.1 that nobody listens on, for a program that cannot choose one itself. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
