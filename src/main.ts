/** The entry point: the only file that uses the environment, signals, standard streams and the exit code. */
import meta from "../deno.json" with { type: "json" };
import { SETTINGS } from "./config/config.ts";
import { findMisspelt, readablePart } from "./config/misspelt.ts";
import { VECTORED_WRITES } from "./platform/vectored_writes.ts";
import { start } from "./server/start_process.ts";
import { createService } from "./service.ts";

/** Asks nobody, unlike reading a variable without permission. */
function mayRead(variable: string): boolean {
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  return state === "granted";
}

const isOnDeploy = Deno.env.get("DENO_DEPLOYMENT_ID") !== undefined;
if (mayRead(VECTORED_WRITES)) Deno.env.set(VECTORED_WRITES, "1");
const names = Object.keys(SETTINGS)
  // Deno Deploy starts as many instances as it needs.
  .filter((name) => name !== "WORKERS" || !isOnDeploy);
const { code, reason } = await start({
  env: Object.fromEntries(names.map((name) => [name, Deno.env.get(name)])),
  misspelt: findMisspelt(
    // Whoever starts it with permissions of their own may have given it the right names only.
    Object.keys(SETTINGS).filter((name) => mayRead(`${readablePart(name)}_`)),
    (name) => Deno.env.has(name),
  ),
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
