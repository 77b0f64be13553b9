/** The entry point: the only file that touches the environment, signals, standard streams and the exit code. */
import meta from "../deno.json" with { type: "json" };
import { formatProblems, parseConfig, SETTINGS } from "./config.ts";
import { createLineWriter } from "./observability/line_writer.ts";
import { loggerFor, startLogging } from "./observability/log.ts";
import { run } from "./server/run.ts";
import { createService } from "./service.ts";

async function exitWith(code: number, text: string): Promise<never> {
  await Deno.stderr.write(new TextEncoder().encode(`${text}\n`));
  Deno.exit(code);
}

const names = Object.keys(SETTINGS);
const environment = names.map((name) => [name, Deno.env.get(name)]);
const result = parseConfig(Object.fromEntries(environment));
if (!result.ok) await exitWith(2, formatProblems(result.problems));
else {
  const { config } = result;
  const lines = createLineWriter(Deno.stdout.writable);
  const stopLogging = await startLogging(config.log, lines);
  const stop = new AbortController();
  const kill = new AbortController();
  const isOnDeploy = Deno.env.get("DENO_DEPLOYMENT_ID") !== undefined;
  for (const signal of isOnDeploy ? [] : ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => {
      if (stop.signal.aborted) kill.abort();
      else stop.abort();
    });
  }
  const { version } = meta;
  const options = { version, lines, platformShared: isOnDeploy };
  const service = await createService(config, options);
  const logger = loggerFor("server");
  try {
    await run(service, config, { stop, kill, logger });
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    await exitWith(1, `Port ${config.listen.port} is taken: set PROXY_PORT.`);
  }
  await stopLogging();
  Deno.exit(0);
}
