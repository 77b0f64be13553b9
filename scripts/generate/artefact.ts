import { readdir } from "node:fs/promises";

/** A generated file of this repository. */
export interface Artefact {
  /** Relative to the root of the repository. */
  readonly path: string;
  /** The whole text of the file, which depends on nothing but its sources. */
  produce(): Promise<string>;
}

/** Options of {@linkcode refresh}. */
export interface RefreshOptions {
  /** The root of the repository, with a trailing slash. */
  readonly root: URL;
  /** True to compare only, and write nothing. */
  readonly check: boolean;
}

/** Updates the artefacts, and returns the paths of those that were out of date. */
export async function refresh(
  artefacts: readonly Artefact[],
  options: RefreshOptions,
): Promise<string[]> {
  const stale: string[] = [];
  for (const { path, produce } of artefacts) {
    const file = new URL(path, options.root);
    const text = await produce();
    if (text === await readIfThere(file)) continue;
    stale.push(path);
    if (options.check) continue;
    await Deno.mkdir(new URL("./", file), { recursive: true });
    await Deno.writeTextFile(file, text);
  }
  return stale;
}

async function readIfThere(file: URL): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Removes the modules in a folder that are none of these artefacts, and returns their paths. */
export async function removeOthers(
  folder: string,
  artefacts: readonly Artefact[],
  { root, check }: RefreshOptions,
): Promise<string[]> {
  const made = new Set(artefacts.map(({ path }) => path));
  const others = (await readdir(new URL(folder, root), { recursive: true }))
    .map((path) => folder + path)
    .filter((path) => path.endsWith(".ts") && !made.has(path));
  if (check) return others;
  for (const path of others) await Deno.remove(new URL(path, root));
  return others;
}
