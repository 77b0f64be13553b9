/** The entry point: the only file that touches the environment, signals and the exit code. */
import meta from "../deno.json" with { type: "json" };
import { formatProblems, parseConfig, SETTINGS } from "./config.ts";
import { loggerFor, startLogging } from "./observability/log.ts";
import { run } from "./server/run.ts";
import { createService } from "./service.ts";

/** Exit code for an environment that cannot be used. */
const EXIT_USAGE = 2;

const environment = Object.fromEntries(
  Object.keys(SETTINGS).map((name) => [name, Deno.env.get(name)]),
);
const result = parseConfig(environment);
if (!result.ok) {
  await Deno.stderr.write(
    new TextEncoder().encode(`${formatProblems(result.problems)}\n`),
  );
  Deno.exit(EXIT_USAGE);
}
const { config } = result;

const stop = new AbortController();
const kill = new AbortController();
function onSignal(): void {
  if (stop.signal.aborted) kill.abort();
  else stop.abort();
}
const isOnDeploy = Deno.env.get("DENO_DEPLOYMENT_ID") !== undefined;
if (!isOnDeploy) {
  Deno.addSignalListener("SIGINT", onSignal);
  Deno.addSignalListener("SIGTERM", onSignal);
}

const stopLogging = await startLogging(config.log, Deno.stdout.writable);
const service = await createService(config, {
  version: meta.version,
  platformShared: isOnDeploy,
});
const logger = loggerFor("server");
await run(service, config, { stop: stop.signal, kill: kill.signal, logger });
await stopLogging();
Deno.exit(0);
