// deno-lint-ignore-file no-console
/**
 * `deno task doctor [SANDBOX]`: checks the configuration and everything around the gateway, and with a sandbox's ID also
 * where the API says that it is; `--json` for machines. Exits with 0
 * if nothing failed, 1 if something did, 2 if the configuration or the command line is invalid.
 */
import { isSandboxRef } from "../src/address/grammar.ts";
import { SETTINGS } from "../src/config/config.ts";
import { examine } from "./doctor/examine.ts";
import { exitCodeOf } from "./doctor/finding.ts";
import { json, presentable, table } from "./doctor/report.ts";
import { realWorld } from "./doctor/world.ts";

/** Prints the findings, and returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const isJson = args.includes("--json");
  const [sandboxId, ...more] = args.filter((arg) => arg !== "--json");
  const isUsable = sandboxId === undefined ||
    !sandboxId.startsWith("-") && isSandboxRef(sandboxId);
  if (!isUsable || more.length > 0) {
    console.error("usage: deno task doctor [--json] [SANDBOX]");
    return 2;
  }
  const names = Object.keys(SETTINGS);
  const env = Object.fromEntries(
    names.map((name) => [name, Deno.env.get(name)]),
  );
  const findings = presentable(await examine(env, realWorld, sandboxId), env);
  const colors = Deno.stdout.isTerminal() && !Deno.noColor;
  const text = isJson ? json(findings) : table(findings, { colors });
  await new Blob([text]).stream().pipeTo(Deno.stdout.writable);
  return exitCodeOf(findings);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
