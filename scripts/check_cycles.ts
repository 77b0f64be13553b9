// deno-lint-ignore-file no-console
/** Prints the first import cycle, type imports included, of the modules in the given folders, and exits with 1. */
import { dirname, join, relative } from "node:path";
import ts from "typescript";

/** The TypeScript modules in a folder and its subfolders. */
export async function modulesIn(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) found.push(...await modulesIn(path));
    else if (path.endsWith(".ts")) found.push(path);
  }
  return found;
}

/** The modules that a module imports by a relative path. */
async function importsOf(path: string): Promise<string[]> {
  const { importedFiles } = ts.preProcessFile(await Deno.readTextFile(path));
  return importedFiles
    .filter(({ fileName }) => fileName.startsWith("."))
    .map(({ fileName }) => join(dirname(path), fileName));
}

/** The first cycle of the graph as a closed path of nodes; undefined if there is none. */
function findCycle(
  graph: ReadonlyMap<string, readonly string[]>,
): string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];

  function visit(node: string): string[] | undefined {
    const at = path.indexOf(node);
    if (at >= 0) return [...path.slice(at), node];
    if (done.has(node)) return undefined;
    path.push(node);
    for (const next of graph.get(node) ?? []) {
      const cycle = visit(next);
      if (cycle !== undefined) return cycle;
    }
    path.pop();
    done.add(node);
    return undefined;
  }

  for (const node of graph.keys()) {
    const cycle = visit(node);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

if (import.meta.main) {
  const modules = (await Promise.all(Deno.args.map(modulesIn))).flat();
  const graph = new Map(
    await Promise.all(
      modules.map(async (path) => [path, await importsOf(path)] as const),
    ),
  );
  const cycle = findCycle(graph);
  if (cycle !== undefined) {
    const names = cycle.map((path) => relative(Deno.cwd(), path));
    console.error(`import cycle: ${names.join(" -> ")}`);
    Deno.exit(1);
  }
}
