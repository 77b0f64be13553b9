// deno-lint-ignore-file no-console
/**
 * `deno task doctor [SANDBOX]`: checks the configuration and everything around the gateway, and with a sandbox's ID also
 * where the API says that it is. `deno task doctor --sandbox SANDBOX [--port PORT] [--path PATH]` goes through one preview
 * from outside in, and names the hop that fails; PREVIEW_TOKEN is the sandbox's preview token, if it is private.
 * `deno task doctor --names` looks at each name's DNS, certificate and sandbox.
 * `--json` for machines; `--help` says how to call it. Exits with 0 if nothing failed, 1 if something did, 2 if the configuration or the command line
 * is invalid.
 */
import { doctorArguments, USAGE } from "./doctor/arguments.ts";
import { examine } from "./doctor/examine.ts";
import { exitCodeOf } from "./doctor/finding.ts";
import { examineNames } from "./doctor/names/examine.ts";
import { examinePreview } from "./doctor/preview/examine.ts";
import { bySeverity, json, presentable, table } from "./doctor/report.ts";
import { realWorld } from "./doctor/world.ts";

/** Prints the findings, and returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(USAGE);
    return 0;
  }
  const given = doctorArguments(args);
  if (given === undefined) {
    console.error(USAGE);
    return 2;
  }
  const { isJson, sandboxId, preview, names } = given;
  // All of it, to find misspelt names.
  const env = Deno.env.toObject();
  const token = env.PREVIEW_TOKEN?.trim() || undefined;
  const found = names
    ? await examineNames(env, realWorld)
    : preview === undefined
    ? await examine(env, realWorld, sandboxId)
    : await examinePreview(env, realWorld, { ...preview, token });
  const findings = presentable(found, env);
  const colors = Deno.stdout.isTerminal() && !Deno.noColor;
  // The hops of a preview stay in their order.
  const sorted = preview === undefined ? bySeverity(findings) : findings;
  const text = isJson ? json(findings) : table(sorted, { colors });
  await new Blob([text]).stream().pipeTo(Deno.stdout.writable);
  return exitCodeOf(findings);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
