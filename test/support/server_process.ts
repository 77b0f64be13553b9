/** A server as a child process: started, waited for until it listens on 127.0.0.1, and stopped. */
import { setTimeout as delay } from "node:timers/promises";

/** Options of a server; its environment comes on top of this process's own unless `clearEnv` is set. */
export interface ServerProcessOptions
  extends Pick<Deno.CommandOptions, "clearEnv" | "cwd" | "env"> {
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** Where it will listen; by default, it announces that as the `port` of a line of JSON, as the gateway's log does. */
  readonly port?: number | undefined;
  /** Called with each line of standard output. */
  readonly onLine?: (line: string) => void;
  /** Called with each line of standard error, which is inherited by default. */
  readonly onErrorLine?: (line: string) => void;
  /** The time that it may take until it listens, ms. */
  readonly timeoutMs: number;
}

/** A server that listens; disposing of it kills it. */
export interface ServerProcess extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
  /** Resolves to its status once it has exited and all of its output has been read. */
  readonly exited: Promise<Deno.CommandStatus>;
  /** Sends a signal unless the process has exited; resolves to its status once all of its output has been read. */
  end(signal: Deno.Signal): Promise<Deno.CommandStatus>;
}

const ANNOUNCED_PORT = /"port":(\d+)/;

const RETRY_MS = 10;

/**
 * Starts a server and waits until it listens.
 *
 * @throws {Error} if it exits before that, or takes longer than `timeoutMs`.
 */
export async function startServerProcess(
  options: ServerProcessOptions,
): Promise<ServerProcess> {
  const { command, port: givenPort, onLine, onErrorLine, timeoutMs, ...child } =
    options;
  const [program = "", ...args] = command;
  const process = new Deno.Command(program, {
    ...child,
    args,
    stdin: "null",
    stdout: "piped",
    stderr: onErrorLine === undefined ? "inherit" : "piped",
  }).spawn();
  const listening = Promise.withResolvers<number>();
  const failure = new AbortController();
  let isListening = false;
  const complaint: string[] = [];

  function onListening(port: number): void {
    isListening = true;
    listening.resolve(port);
  }

  const output = Promise.all([
    readLines(process.stdout, (line) => {
      const port = ANNOUNCED_PORT.exec(line)?.[1];
      if (givenPort === undefined && port !== undefined) {
        onListening(Number(port));
      }
      onLine?.(line);
      return onLine !== undefined || !isListening;
    }),
    onErrorLine && readLines(process.stderr, (line) => {
      if (!isListening) complaint.push(line);
      onErrorLine(line);
      return true;
    }),
  ]);

  const exited = output.then(() => process.status);

  async function end(signal: Deno.Signal): Promise<Deno.CommandStatus> {
    try {
      process.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has exited already
    }
    return await exited;
  }

  function fail(reason: string): void {
    const quote = complaint.length === 0 ? "" : `: ${complaint.join("\n")}`;
    failure.abort(new Error(`${program} ${reason}${quote}`));
  }

  exited.then(({ code }) => fail(`exited with ${code} before it listened`));
  const timer = setTimeout(
    () => fail(`does not listen after ${timeoutMs} ms`),
    timeoutMs,
  );
  failure.signal.addEventListener(
    "abort",
    () => listening.reject(failure.signal.reason),
  );
  if (givenPort !== undefined) {
    untilListening(givenPort, failure.signal)
      .then(() => onListening(givenPort), () => {}); // `failure` knows why
  }
  try {
    const port = await listening.promise;
    return {
      pid: process.pid,
      port,
      exited,
      end,
      async [Symbol.asyncDispose]() {
        await end("SIGKILL");
      },
    };
  } catch (error) {
    await end("SIGKILL");
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Waits until something listens on a port of 127.0.0.1.
 *
 * @throws {Error} if `signal` is aborted first.
 */
export async function untilListening(
  port: number,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    try {
      return (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    } catch (cause) {
      if (signal.aborted) {
        throw new Error(`Nothing listens on port ${port}`, { cause });
      }
      await delay(RETRY_MS);
    }
  }
}

/** Reads a stream to its end, but splits it into lines only for as long as `onLine` returns true: a log may be long. */
async function readLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  onLine: (line: string) => boolean,
): Promise<void> {
  let rest = "";
  let isWanted = true;
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    if (!isWanted) continue;
    const lines = (rest + part).split("\n");
    rest = lines.pop() ?? "";
    isWanted = lines.every((line) => line === "" || onLine(line));
  }
}
