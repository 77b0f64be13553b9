/** A file of this repository that is made out of others. */
export interface Artefact {
  /** Relative to the repository. */
  readonly path: string;
  /** The whole text of the file; the same sources give the same text. */
  produce(): Promise<string>;
}

/** Settings of {@linkcode refresh}. */
export interface RefreshOptions {
  /** The repository, with a slash at the end. */
  readonly root: URL;
  /** Compare only. */
  readonly check: boolean;
}

/** Brings the artefacts up to date, and returns the paths of those that were not. */
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
    if (!options.check) await Deno.writeTextFile(file, text);
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
