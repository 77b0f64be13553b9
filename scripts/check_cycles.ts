// deno-lint-ignore-file no-console
/** Prints the first import cycle, type imports included, reachable from the given entry points, and exits with 1. */

interface ModuleGraph {
  modules: {
    specifier: string;
    dependencies?: {
      code?: { specifier?: string };
      type?: { specifier?: string };
    }[];
  }[];
}

async function graphOf(entry: string): Promise<Map<string, string[]>> {
  const { code, stdout, stderr } = await new Deno.Command("deno", {
    args: ["info", "--json", entry],
  }).output();
  if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
  const info = JSON.parse(new TextDecoder().decode(stdout)) as ModuleGraph;
  return new Map(
    info.modules.map((module) => [
      module.specifier,
      (module.dependencies ?? [])
        .flatMap((edge) => [edge.code?.specifier, edge.type?.specifier])
        .filter((specifier) => specifier !== undefined)
        .filter((specifier) => specifier.startsWith("file:")),
    ]),
  );
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
  const root = new URL("..", import.meta.url).href;
  for (const entry of Deno.args) {
    const cycle = findCycle(await graphOf(entry));
    if (cycle !== undefined) {
      console.error(
        `import cycle: ${
          cycle.map((url) => url.replace(root, "")).join(" -> ")
        }`,
      );
      Deno.exit(1);
    }
  }
}
