/** The gateway under soak: a process as `deno task start` runs it, whose log is read to the last line. */

/** Where a gateway listens. */
interface Ports {
  readonly port: number;
  readonly metricsPort: number;
}

/** A running gateway; disposing of it kills it. */
export interface SoakedGateway extends AsyncDisposable, Ports {
  readonly pid: number;
  /** Lines of the log by level and message. */
  readonly logged: ReadonlyMap<string, number>;
  /** The first lines that tell of a defect. */
  readonly complaints: readonly string[];
  /** Sends SIGTERM; resolves to the exit code when all that it said has been read. */
  stop(): Promise<number>;
}

const ROOT = new URL("../../", import.meta.url);

/** What its log says when it serves. */
const LISTENING = "INFO listening";

/** Complaints that are kept. */
const MAX_COMPLAINTS = 20;

/** Longer than a start takes, ms. */
const START_TIMEOUT_MS = 20_000;

/**
 * Starts the gateway with an environment beside this process's own.
 *
 * @throws {Error} If it ends before it listens, or takes longer than 20 s.
 */
export async function startSoakedGateway(
  environment: Readonly<Record<string, string>>,
): Promise<SoakedGateway> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--quiet", "-P=start", "src/main.ts"],
    cwd: ROOT,
    env: {
      ...environment,
      NO_COLOR: "1",
      PROXY_PORT: "0",
      METRICS_PORT: "0",
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const logged = new Map<string, number>();
  const complaints: string[] = [];
  const listening = Promise.withResolvers<Ports>();

  function complain(line: string): void {
    if (complaints.length < MAX_COMPLAINTS) complaints.push(line);
  }

  function note(line: string): void {
    const { level, message, port, metricsPort } = JSON.parse(line);
    const key = `${level} ${message}`;
    logged.set(key, (logged.get(key) ?? 0) + 1);
    if (level === "ERROR" || level === "FATAL") complain(line);
    if (key === LISTENING) listening.resolve({ port, metricsPort });
  }

  const reading = Promise.all([
    readLines(child.stdout, note),
    readLines(child.stderr, complain),
  ]);
  async function end(signal: Deno.Signal): Promise<number> {
    try {
      child.kill(signal);
    } catch {
      // It has ended already.
    }
    await reading;
    return (await child.status).code;
  }
  child.status.then(({ code }) =>
    listening.reject(
      new Error(`Ended with ${code} before it listened: ${complaints}`),
    )
  );
  const overdue = setTimeout(() => end("SIGKILL"), START_TIMEOUT_MS);
  const ports = await listening.promise.finally(() => clearTimeout(overdue));
  return {
    pid: child.pid,
    ...ports,
    logged,
    complaints,
    stop: () => end("SIGTERM"),
    async [Symbol.asyncDispose]() {
      await end("SIGKILL");
    },
  };
}

async function readLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  onLine: (line: string) => void,
): Promise<void> {
  let rest = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + part).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line !== "") onLine(line);
  }
}
