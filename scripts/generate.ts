// deno-lint-ignore-file no-console
/**
 * `deno task gen`: updates the generated files; with `--check`, only lists those that are out of date, and exits with 1
 * if there are any. With `--from FILE-or-URL`, a full description of Daytona's API in YAML or JSON, it first brings
 * openapi/daytona.yaml up to date, and shows what changes there; it exits with 1 and writes nothing if something is
 * gone that we rely on, and with 2 if it cannot read the description.
 */
import { readDescription, SLICE } from "./contract/description.ts";
import { lineDiff } from "./contract/line_diff.ts";
import { rewrite, type Rewriting } from "./contract/rewrite.ts";
import { appsPage } from "./generate/apps_page.ts";
import { refresh, removeOthers } from "./generate/artefact.ts";
import { factsModule, featureFacts, refuseDoubled } from "./generate/facts.ts";
import { featuresModule } from "./generate/features.ts";
import { textModules } from "./generate/text_modules.ts";

const USAGE = "usage: deno task gen [--check | --from FILE-or-URL]";

/** Returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const [option, source, ...more] = args;
  if (option === "--from" && source !== undefined && more.length === 0) {
    const code = await update(source);
    return code === 0 ? await generate({ check: false }) : code;
  }
  if (args.length === 0) return await generate({ check: false });
  if (option === "--check" && args.length === 1) {
    return await generate({ check: true });
  }
  console.error(USAGE);
  return 2;
}

async function generate({ check }: { readonly check: boolean }) {
  const root = new URL("../", import.meta.url);
  const texts = [appsPage, ...await textModules()];
  const stale = await refresh(texts, { root, check });
  stale.push(...await removeOthers("gen/text/", texts, { root, check }));
  const lists = await refresh([factsModule, featuresModule], { root, check });
  stale.push(...lists);
  // The rest is made from the gateway's source, which imports them.
  if (check && lists.length > 0) return report(stale, check);
  const { CORE_FACTS } = await import("./generate/core_facts.ts");
  refuseDoubled([["the core", CORE_FACTS], ...await featureFacts()]);
  const { ARTEFACTS } = await import("./generate/artefacts.ts");
  stale.push(...await refresh(ARTEFACTS, { root, check }));
  return report(stale, check);
}

/** Lists what was out of date, and returns the exit code. */
function report(stale: readonly string[], check: boolean): number {
  for (const path of stale) {
    console.log(check ? `${path} is out of date: run deno task gen` : path);
  }
  return check && stale.length > 0 ? 1 : 0;
}

/** Brings our slice of Daytona's API up to date, and returns the exit code. */
async function update(source: string): Promise<number> {
  const before = await Deno.readTextFile(SLICE);
  let rewriting: Rewriting;
  try {
    rewriting = await rewrite(before, await readDescription(source));
  } catch (error) {
    console.error(`Cannot read ${source}: ${error}`);
    return 2;
  }
  const { text, changes, problems, absent } = rewriting;
  if (problems.length > 0) {
    console.error(
      "Nothing is written, since this takes a decision. What is gone can be deleted from openapi/daytona.yaml, and the " +
        "compiler then shows who needs it; or it can be marked there with x-optional.\n",
    );
    for (const problem of problems) console.error(problem);
    return 1;
  }
  if (absent.length > 0) {
    console.log(`Optional, and not there: ${absent.join(", ")}.`);
  }
  if (text === before) {
    console.log("openapi/daytona.yaml agrees.");
    return 0;
  }
  for (const change of changes) console.log(change);
  console.log(`\nopenapi/daytona.yaml\n${lineDiff(before, text).join("\n")}\n`);
  await Deno.writeTextFile(SLICE, text);
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
