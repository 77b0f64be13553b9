/** The entry point: the only file that uses the environment, signals, standard streams and the exit code. */
import meta from "../deno.json" with { type: "json" };
import { SETTINGS } from "./config/config.ts";
import { VECTORED_WRITES } from "./platform/vectored_writes.ts";
import { start } from "./server/start.ts";
import { createService } from "./service.ts";

const isOnDeploy = Deno.env.get("DENO_DEPLOYMENT_ID") !== undefined;
const variable = { name: "env", variable: VECTORED_WRITES } as const;
if (Deno.permissions.querySync(variable).state === "granted") {
  Deno.env.set(VECTORED_WRITES, "1");
}
const names = Object.keys(SETTINGS)
  // Deno Deploy starts as many instances as it needs.
  .filter((name) => name !== "WORKERS" || !isOnDeploy);
const { code, reason } = await start({
  env: Object.fromEntries(names.map((name) => [name, Deno.env.get(name)])),
  version: meta.version,
  output: Deno.stdout.writable,
  addSignalListener: isOnDeploy ? undefined : Deno.addSignalListener,
  workerEntry: import.meta.resolve("./worker.ts"),
  createService,
});
if (reason !== undefined) {
  await Deno.stderr.write(new TextEncoder().encode(`${reason}\n`));
}
Deno.exit(code);
