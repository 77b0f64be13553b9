/**
 * Texts as modules, which Deno Deploy can import: its Deno knows no text imports, and a gateway may read no files. That of
 * `src/pages/page.css` is `gen/text/pages/page.css.ts`, for the files beside it.
 */
import type { Artefact } from "./artefact.ts";

const SRC = new URL("../../src/", import.meta.url);

/** A module whose default export is `text`, made from the file `source`. */
export function textModule(text: string, source: string): string {
  const literal = text.replaceAll(/[\\`]|\$\{/g, "\\$&");
  return `/** Generated from ${source} (\`deno task gen\`): edit that file, not this one. */
const text: string = \`${literal}\`;
export default text;
`;
}

/** A module for each style, script and piece of markup in `src/`, and for the types of a script. */
export async function textModules(): Promise<Artefact[]> {
  const artefacts: Artefact[] = [];
  for await (const path of textsBelow("")) {
    artefacts.push({
      // Whatever has `.d.` in its name declares types.
      path: `gen/text/${path.replace(".d.ts", ".types")}.ts`,
      produce: async () =>
        textModule(await Deno.readTextFile(new URL(path, SRC)), `src/${path}`),
    });
  }
  return artefacts;
}

/** The paths, relative to `src/`, of the texts in a folder, which ends with a slash. */
async function* textsBelow(folder: string): AsyncGenerator<string> {
  for await (
    const { name, isDirectory } of Deno.readDir(new URL(folder, SRC))
  ) {
    if (isDirectory) yield* textsBelow(`${folder}${name}/`);
    else if (/\.(?:css|html|js|d\.ts)$/.test(name)) yield `${folder}${name}`;
  }
}
