/**
 * The demo: the gateway in front of a stand-in API, identity provider, runner and app, all in one process that keeps
 * nothing on disk. With `--hosted`, it is in front of a Daytona that somebody else operates. With `--embed`, there is a page
 * of a product, too, with an app of Vite's in a frame; the app and the gateway's records are in a folder until it ends.
 */
import { formatProblems, SETTINGS } from "../../src/config/config.ts";
import { readSettings } from "../../src/config/read_settings.ts";
import { StreamLineWriter } from "../../src/observability/line_writer.ts";
import { startLogging } from "../../src/observability/log.ts";
import { type Demo, type DemoOptions, startDemo } from "./gateway.ts";
import { welcome } from "./welcome.ts";

/** The variables that the demo respects. */
const DEMO_SETTINGS = {
  PROXY_PORT: SETTINGS.PROXY_PORT,
  LOG_LEVEL: { ...SETTINGS.LOG_LEVEL, default: "warning" },
  LOG_FORMAT: { ...SETTINGS.LOG_FORMAT, default: "pretty" },
} as const;

/** Exit codes. */
const PORT_TAKEN = 1;
const BAD_INPUT = 2;

async function print(
  text: string,
  stream: { write(bytes: Uint8Array): Promise<number> } = Deno.stdout,
): Promise<void> {
  await stream.write(new TextEncoder().encode(text));
}

async function startOrExit(
  port: number,
  options: DemoOptions,
): Promise<Demo> {
  try {
    return await startDemo(port, options);
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    await print(
      `Port ${port} is taken. Choose another, or 0 for any free one: PROXY_PORT=0\n`,
      Deno.stderr,
    );
    Deno.exit(PORT_TAKEN);
  }
}

export async function runDemo(args: readonly string[]): Promise<void> {
  const hosted = args.includes("--hosted");
  const embed = args.includes("--embed");
  if (args.some((arg) => !["--hosted", "--embed"].includes(arg))) {
    await print(
      "usage: deno run -q -P=demo scripts/demo.ts [--hosted] [--embed]\n",
      Deno.stderr,
    );
    Deno.exit(BAD_INPUT);
  }
  const environment = Object.fromEntries(
    Object.keys(DEMO_SETTINGS).map((name) => [name, Deno.env.get(name)]),
  );
  const result = readSettings(DEMO_SETTINGS, environment);
  if (!result.ok) {
    await print(`${formatProblems(result.problems)}\n`, Deno.stderr);
    Deno.exit(BAD_INPUT);
  }
  const { PROXY_PORT, LOG_LEVEL, LOG_FORMAT } = result.values;

  const stopLogging = await startLogging(
    { level: LOG_LEVEL, format: LOG_FORMAT },
    new StreamLineWriter(Deno.stdout.writable),
  );
  const brandFile = Deno.env.get("BRAND_FILE");
  const options = { hosted, embed, brandFile };
  const demo = await startOrExit(PROXY_PORT, options);
  await print(welcome(demo.port, { ...demo, hosted }));

  const signal = Promise.withResolvers<void>();
  // A second signal finds no listener, and terminates the process.
  const onSignal = (): void => {
    Deno.removeSignalListener("SIGINT", onSignal);
    Deno.removeSignalListener("SIGTERM", onSignal);
    signal.resolve();
  };
  Deno.addSignalListener("SIGINT", onSignal);
  Deno.addSignalListener("SIGTERM", onSignal);
  await signal.promise;
  await demo[Symbol.asyncDispose]();
  await stopLogging();
}
