/**
 * What is left of a feature in a tree that was made without it: the words that its facts, settings and routes declare,
 * in the source and in what is generated and written about it.
 */
import type { ModuleFacts } from "../src/facts/module_facts.ts";
import type { FeatureModule } from "../src/gateway/feature_module.ts";

/** A word of a feature, and what finds it. */
export interface Word {
  readonly text: string;
  readonly pattern: RegExp;
  /** What else finds it in the source, but for other features, which may mean something else by it. */
  readonly inCore?: RegExp;
}

/** The folders that are searched. */
const FOLDERS = ["src", "gen", "openapi", "docs"];

/** What describes Daytona's own API. */
const NOT_OURS =
  /^(?:openapi\/(?:daytona\.yaml|README\.md)|gen\/(?:daytona|clients)\.ts)$/;

const FEATURES = new URL("../src/features/", import.meta.url);

/** The words that a feature declares. */
export async function wordsOf(name: string): Promise<Word[]> {
  const facts = await factsOf(name);
  const { settings, routes = [] } = await moduleOf(name);
  return [
    ...named(Object.keys(facts.errors ?? {})),
    ...named(Object.values(facts.metrics ?? {}).map((metric) => metric.name)),
    ...named(Object.keys(settings?.rows ?? {})),
    ...named(Object.keys(facts.retired ?? {})),
    ...named(facts.cacheKinds ?? []),
    ...named(facts.requestHeaders ?? [], "i"),
    ...named(facts.responseHeaders ?? [], "i"),
    ...quoted(facts.cookies ?? [], "porthole-"),
    ...quoted(facts.vias ?? [], 'via="'),
    ...quoted(facts.routes ?? [], 'route="'),
    ...paths((facts.memberPages ?? []).map((page) => `/${page}`)),
    ...paths(routes.map(({ path }) => path)),
  ];
}

async function factsOf(name: string): Promise<ModuleFacts> {
  try {
    await Deno.stat(new URL(`${name}/facts.ts`, FEATURES));
  } catch {
    return {};
  }
  const { href } = new URL(`${name}/facts.ts`, FEATURES);
  return (await import(href)).facts;
}

async function moduleOf(name: string): Promise<FeatureModule> {
  const { href } = new URL(`${name}/${name}_feature.ts`, FEATURES);
  const exported: Record<string, FeatureModule> = await import(href);
  const found = Object.values(exported).find((one) => one.name === name);
  if (found === undefined) throw new Error(`No module of '${name}'`);
  return found;
}

/** Words that nothing else is called; `flags` are those of their patterns. */
function named(words: readonly string[], flags = ""): Word[] {
  return words.map((text) => ({
    text,
    pattern: new RegExp(`(?<![\\w-])${text}(?![\\w-])`, flags),
  }));
}

/** Words of everyday speech, which count in quotes in the core, and behind what says that it is they. */
function quoted(words: readonly string[], mark: string): Word[] {
  return words.map((text) => ({
    text: `"${text}"`,
    pattern: new RegExp(`${mark}${text}(?![\\w-])`),
    inCore: new RegExp(`"${text}"`),
  }));
}

/** Paths, whose parameters may be anything, and which end where what is written ends. */
function paths(all: readonly string[]): Word[] {
  return [...new Set(all)].filter((path) => path !== "/").map((text) => {
    const pattern = text.replaceAll(".", "\\.")
      .replaceAll(/\{\w+\}/g, `[^/${ENDS}]+`);
    return {
      text,
      pattern: new RegExp(`(?<![\\w.*-])${pattern}(?=[${ENDS}]|$)`),
    };
  });
}

/** Characters that end a path in a text, or in a string of the source. */
const ENDS = "\\s\"'`)<>?#,;:&";

/** The lines of a tree that have one of these words, as `path:line: word: text`. */
export async function tracesIn(
  tree: URL,
  name: string,
  words: readonly Word[],
): Promise<string[]> {
  const traces: string[] = [];
  const leads = new RegExp(`[(/]${name}\\.md\\b`);
  for (const folder of FOLDERS) {
    for await (const path of filesBelow(tree, folder)) {
      if (NOT_OURS.test(path)) continue;
      const isCore = /^src\/(?!features\/)/.test(path);
      const lines = (await Deno.readTextFile(new URL(path, tree))).split("\n");
      // One line of a page may lead to the feature's own: the row of a table.
      const link = lines.findIndex((line) => leads.test(line));
      for (const [at, line] of lines.entries()) {
        if (at === link) continue;
        const found = leads.test(line)
          ? `${name}.md`
          : words.find(({ pattern, inCore }) =>
            pattern.test(line) || isCore && inCore?.test(line)
          )?.text;
        if (found === undefined) continue;
        traces.push(`${path}:${at + 1}: ${found}: ${line.trim()}`);
      }
    }
  }
  return traces;
}

/** The paths, relative to a tree, of all files in a folder of it. */
async function* filesBelow(tree: URL, folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(new URL(`${folder}/`, tree))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* filesBelow(tree, path);
    else yield path;
  }
}
