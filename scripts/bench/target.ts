/** The processes under load: each is started from a script, tells its port, and is ended with the run. */

/** A process that listens on 127.0.0.1; disposing of it ends it. */
export interface Target extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
}

/** How a target is started. */
export interface TargetOptions {
  /** What follows `deno run --quiet`; paths are relative to the repository's root. */
  readonly args: readonly string[];
  /** Variables beside those of this process. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The one processor that it may use, by number; any if not given. */
  readonly cpu?: number | undefined;
}

const ROOT = new URL("../../", import.meta.url);

/** How a target tells its port, as the gateway's log does; what follows the digits shows that none is missing. */
const ANNOUNCEMENT = /"port":(\d+)\D/;

const START_TIMEOUT_MS = 10_000;

/**
 * Starts a process and waits until it listens; what else it prints is read and thrown away.
 *
 * @throws {Error} If it ends before it listens, or takes longer than 10 s.
 */
export async function startTarget(options: TargetOptions): Promise<Target> {
  const { args, environment = {}, cpu } = options;
  const pin = cpu === undefined ? [] : ["taskset", "--cpu-list", `${cpu}`];
  const [program, ...rest] = [
    ...pin,
    Deno.execPath(),
    "run",
    "--quiet",
    ...args,
  ];
  const child = new Deno.Command(program ?? "", {
    args: rest,
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
    const port = await announcedPort(output);
    const drained = output.pipeTo(new WritableStream());
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
