/** Saves results: as JSON next to the bench, and in the page of docs/ that shows them. */
import { type Growth, plotGrowth } from "./growth.ts";
import type { MachineDescription } from "./machine.ts";
import { benchText, fillRegion, growthText, plotFile } from "./page.ts";
import type { Judgement, Result } from "./report.ts";

const RESULTS = new URL("./results/", import.meta.url);
const DOCS = new URL("../../docs/", import.meta.url);
const PAGE = new URL("performance.md", DOCS);

async function saveJson(kind: string, value: unknown): Promise<void> {
  await Deno.mkdir(RESULTS, { recursive: true });
  const day = new Date().toISOString().slice(0, 10);
  const file = new URL(`${day}-${kind}.json`, RESULTS);
  await Deno.writeTextFile(file, `${JSON.stringify(value, null, 2)}\n`);
}

async function rewritePage(
  region: "bench" | "growth",
  text: string,
): Promise<void> {
  const page = fillRegion(await Deno.readTextFile(PAGE), region, text);
  await Deno.writeTextFile(PAGE, page);
  await format(PAGE);
}

/** Formats a file as the repository's check demands. */
async function format(file: URL): Promise<void> {
  await new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", file.pathname],
  }).output();
}

/** Saves the results of scenarios; `onPage` is for complete runs only. */
export async function saveResults(
  machine: MachineDescription,
  { results, judgements }: {
    readonly results: readonly Result[];
    readonly judgements: readonly Judgement[];
  },
  { onPage }: { readonly onPage: boolean },
): Promise<void> {
  await saveJson("scenarios", { machine, results, judgements });
  if (onPage) {
    await rewritePage("bench", benchText(machine, results, judgements));
  }
}

/** Saves the growth curves, and draws them. */
export async function saveGrowth(
  machine: MachineDescription,
  curves: readonly Growth[],
): Promise<void> {
  await saveJson("growth", { machine, curves });
  for (const curve of curves) {
    const file = new URL(plotFile(curve), DOCS);
    await Deno.writeTextFile(file, plotGrowth(curve));
    await format(file);
  }
  await rewritePage("growth", growthText(machine, curves));
}
