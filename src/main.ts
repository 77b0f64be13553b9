/** The entry point: the only file that uses the environment, signals, standard streams and the exit code. */
import meta from "../deno.json" with { type: "json" };
import { SECTIONS } from "./modules.ts";
import { VECTORED_WRITES } from "./platform/vectored_writes.ts";
import { start } from "./server/start_process.ts";
import { createService } from "./service.ts";

if (Deno.args.includes("--help")) {
  const usage = `Porthole ${meta.version}, a preview gateway for Daytona
usage: deno run -P=start src/main.ts
Its settings are environment variables (docs/settings.md); deno task doctor checks them.
`;
  await Deno.stdout.write(new TextEncoder().encode(usage));
  Deno.exit();
}
const env = Deno.env.toObject();
Deno.env.set(VECTORED_WRITES, "1");
const { code, reason } = await start({
  env,
  sections: SECTIONS,
  version: meta.version,
  output: Deno.stdout.writable,
  addSignalListener: Deno.addSignalListener,
  isManaged: (env.DENO_DEPLOY ?? env.DENO_DEPLOYMENT_ID) !== undefined,
  createService,
});
if (reason !== undefined) {
  await Deno.stderr.write(new TextEncoder().encode(`${reason}\n`));
}
Deno.exit(code);
