/** The gateway as a process of its own, the way an operator or a platform starts it. */
import { request as httpRequest } from "node:http";
import { text } from "node:stream/consumers";
import type { SendOptions } from "./gateway.ts";

/** How a process is started. */
export interface ProcessOptions {
  /** All of its environment, but for what the runtime itself needs to find its modules. */
  readonly environment: Readonly<Record<string, string>>;
  /** Those of `deno task start` unless given. */
  readonly permissions?: readonly string[];
}

/** A gateway that listens on a free port of 127.0.0.1 until it is disposed. */
export interface GatewayProcess extends AsyncDisposable {
  readonly port: number;
  /** The lines of its log so far. */
  readonly logs: readonly LogRecord[];
  /** Sends a request on a connection of its own. */
  ask(host: string, options?: SendOptions): Promise<ProcessAnswer>;
  /** Tells it to end, as a service manager does, and waits for that. */
  stop(): Promise<Deno.CommandStatus>;
}

/** One line of the log. */
export type LogRecord = Readonly<Record<string, unknown>>;

/** One response, read to its end. */
export interface ProcessAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

const RUNTIME_ENVIRONMENT = ["PATH", "HOME", "DENO_DIR", "XDG_CACHE_HOME"];

function runtimeEnvironment(): Record<string, string> {
  return Object.fromEntries(
    RUNTIME_ENVIRONMENT.map((name) => [name, Deno.env.get(name)] as const)
      .filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** Starts a gateway, without a terminal and a standard input; throws what it said where it ends before it listens. */
export async function startProcess(
  { environment, permissions = ["-P=start"] }: ProcessOptions,
): Promise<GatewayProcess> {
  const child = new Deno.Command("deno", {
    args: ["run", "--no-prompt", "--quiet", ...permissions, "src/main.ts"],
    clearEnv: true,
    env: { ...runtimeEnvironment(), NO_COLOR: "1", ...environment },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const logs: LogRecord[] = [];
  const listening = Promise.withResolvers<number>();
  const reading = readLogs(child.stdout, (record) => {
    logs.push(record);
    const { message, port } = record;
    if (message === "listening") listening.resolve(Number(port));
  });
  const complaint = new Response(child.stderr).text();

  async function ended(): Promise<Deno.CommandStatus> {
    await Promise.all([reading, complaint]);
    return await child.status;
  }

  async function end(signal: Deno.Signal): Promise<Deno.CommandStatus> {
    try {
      child.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended already
    }
    return await ended();
  }

  ended().then(async ({ code }) =>
    listening.reject(
      new Error(`Ended with ${code} before it listened: ${await complaint}`),
    )
  );
  const port = await listening.promise;
  return {
    port,
    logs,
    ask: (host, options = {}) => ask(port, host, options),
    stop: () => end("SIGTERM"),
    async [Symbol.asyncDispose]() {
      await end("SIGKILL");
    },
  };
}

async function readLogs(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  onRecord: (record: LogRecord) => void,
): Promise<void> {
  let rest = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + part).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line.startsWith("{")) onRecord(JSON.parse(line));
    }
  }
}

async function ask(
  port: number,
  host: string,
  { method = "GET", path = "/", headers, body }: SendOptions,
): Promise<ProcessAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<ProcessAnswer>();
  httpRequest({
    hostname: "127.0.0.1",
    port,
    agent: false,
    method,
    path,
    headers: { host, ...headers },
  }, (response) => {
    const fields = new Headers();
    for (const [name, values] of Object.entries(response.headersDistinct)) {
      for (const value of values ?? []) fields.append(name, value);
    }
    text(response).then((body) =>
      resolve({ status: response.statusCode ?? 0, headers: fields, body })
    ).catch(reject);
  }).once("error", reject).end(body);
  return await promise;
}
