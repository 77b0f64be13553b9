/** The entry point: the only file that touches the environment, signals, standard streams and the exit code. */
import meta from "../deno.json" with { type: "json" };
import { formatProblems, parseConfig, SETTINGS } from "./config.ts";
import { createLineWriter } from "./observability/line_writer.ts";
import { loggerFor, startLogging } from "./observability/log.ts";
import { run } from "./server/run.ts";
import { createService } from "./service.ts";

async function exit(code: number, reason?: string): Promise<never> {
  if (reason !== undefined) {
    await Deno.stderr.write(new TextEncoder().encode(`${reason}\n`));
  }
  Deno.exit(code);
}

const names = Object.keys(SETTINGS);
const environment = names.map((name) => [name, Deno.env.get(name)]);
const result = parseConfig(Object.fromEntries(environment));
if (!result.ok) await exit(2, formatProblems(result.problems));
else {
  const { config } = result;
  const isOnDeploy = Deno.env.get("DENO_DEPLOYMENT_ID") !== undefined;
  const lines = createLineWriter(Deno.stdout.writable);
  const stopLogging = await startLogging(config.log, lines);
  const { version } = meta;
  const options = { version, lines, platformShared: isOnDeploy };
  const { code, reason } = await run({
    config,
    createService: () => createService(config, options),
    addSignalListener: isOnDeploy ? undefined : Deno.addSignalListener,
    log: loggerFor("server"),
  });
  await stopLogging();
  await exit(code, reason);
}
