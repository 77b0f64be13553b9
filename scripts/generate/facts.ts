/** The facts of all features in one module, by their kinds, whose types stay closed. */
import type { ModuleFacts } from "../../src/facts/module_facts.ts";
import type { Artefact } from "./artefact.ts";
import { formatted } from "./text.ts";

type Kind = keyof ModuleFacts;

/** Facts, and whose they are: a folder of src/features, or the core. */
export type OwnedFacts = readonly [owner: string, facts: ModuleFacts];

/** The kinds in the order in which they are written, and whether each is a list; the others are tables. */
const IS_LIST: Readonly<Record<Kind, boolean>> = {
  errors: false,
  texts: false,
  notes: false,
  cookies: true,
  memberPages: true,
  guestPages: false,
  vias: true,
  routes: true,
  metrics: false,
  cacheKinds: true,
  requestHeaders: true,
  responseHeaders: true,
  retired: false,
};

const FEATURES = new URL("../../src/features/", import.meta.url);

/** gen/facts.ts, which the tables of the core import. */
export const factsModule: Artefact = {
  path: "gen/facts.ts",
  async produce() {
    const owned = await featureFacts();
    refuseDoubled(owned);
    return await formatted(factsText(owned), "ts");
  },
};

/** The names of the folders of features, sorted. */
export async function featureNames(): Promise<readonly string[]> {
  return await namesIn(FEATURES);
}

/** The facts of each feature that brings any, by the names of their folders. */
export async function featureFacts(): Promise<OwnedFacts[]> {
  const found: OwnedFacts[] = [];
  for (const name of await featureNames()) {
    const folder = new URL(`${name}/`, FEATURES);
    if (!(await namesIn(folder)).includes("facts.ts")) continue;
    const { href } = new URL("facts.ts", folder);
    const { facts }: { facts: ModuleFacts } = await import(href);
    found.push([name, facts]);
  }
  return found;
}

/** What a folder has, sorted; nothing if it is not there. */
async function namesIn(folder: URL): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(folder));
    return entries.map(({ name }) => name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** @throws {Error} if two have a fact of the same name */
export function refuseDoubled(all: readonly OwnedFacts[]): void {
  for (const kind of Object.keys(IS_LIST) as Kind[]) {
    const owners = new Map<string, string>();
    for (const [owner, facts] of all) {
      for (const name of namesOf(facts, kind)) {
        const other = owners.get(name);
        if (other !== undefined) {
          throw new Error(`${other} and ${owner} both bring ${kind}: ${name}`);
        }
        owners.set(name, owner);
      }
    }
  }
}

function namesOf(facts: ModuleFacts, kind: Kind): readonly string[] {
  const of = facts[kind] ?? {};
  return Array.isArray(of) ? of : Object.keys(of);
}

/** The module for these facts. */
export function factsText(all: readonly OwnedFacts[]): string {
  const imports = all.map(([owner]) =>
    `import { facts as ${owner} } from "../src/features/${owner}/facts.ts";\n`
  );
  const constants = (Object.keys(IS_LIST) as Kind[]).map((kind) => {
    const parts = all.filter(([, facts]) => facts[kind] !== undefined)
      .map(([owner]) => `...${owner}.${kind}`).join(", ");
    const value = IS_LIST[kind] ? `[${parts}]` : `{ ${parts} }`;
    return `\nexport const ${constantOf(kind)} = ${value} as const;\n`;
  });
  return `/** Generated from src/features/NAME/facts.ts (\`deno task gen\`): edit those files, not this one. */
${imports.join("")}${constants.join("")}`;
}

/** The name of a kind's constant: `FEATURE_MEMBER_PAGES` for `memberPages`. */
function constantOf(kind: Kind): string {
  return `FEATURE_${kind.replaceAll(/[A-Z]/g, "_$&").toUpperCase()}`;
}
