/** The entry point: the only file that uses the environment, signals, standard streams and the exit code. */
import meta from "../deno.json" with { type: "json" };
import {
  formatProblems,
  parseConfig,
  SETTINGS,
  workersOn,
} from "./config/config.ts";
import { createLineWriter } from "./observability/line_writer.ts";
import { loggerFor, startLogging } from "./observability/log.ts";
import { EXIT_CODES } from "./server/exit.ts";
import { run } from "./server/run.ts";
import { startFacts } from "./server/start_facts.ts";
import { supervise } from "./server/workers/supervise.ts";
import { createService } from "./service.ts";

async function exit(code: number, reason?: string): Promise<never> {
  if (reason !== undefined) {
    await Deno.stderr.write(new TextEncoder().encode(`${reason}\n`));
  }
  Deno.exit(code);
}

const isOnDeploy = Deno.env.get("DENO_DEPLOYMENT_ID") !== undefined;
const names = Object.keys(SETTINGS)
  // Deno Deploy starts as many instances as it needs.
  .filter((name) => name !== "WORKERS" || !isOnDeploy);
const environment = names.map((name) => [name, Deno.env.get(name)]);
const result = parseConfig(Object.fromEntries(environment));
if (!result.ok) {
  await exit(EXIT_CODES.misconfigured, formatProblems(result.problems));
} else {
  const { config } = result;
  const { version } = meta;
  const lines = createLineWriter(Deno.stdout.writable);
  const stopLogging = await startLogging(config.log, lines);
  const workers = workersOn(navigator.hardwareConcurrency, config.workers);
  const { addSignalListener } = Deno;
  const options = { config, log: loggerFor("server"), version, lines };
  const entry = import.meta.resolve("./worker.ts");
  const { code, reason } = workers > 1
    ? await supervise({ ...options, addSignalListener, workers, entry })
    : await run({
      ...options,
      startFacts: startFacts(config, version),
      addSignalListener: isOnDeploy ? undefined : addSignalListener,
      createService: () =>
        createService(config, { ...options, platformShared: isOnDeploy }),
    });
  await stopLogging();
  await exit(code, reason);
}
