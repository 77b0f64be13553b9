/**
 * The architecture as a lint plugin. In src/, a file imports only its own layer and lower ones, no feature imports another,
 * only gen/features.ts imports features, and only `modules.ts` that, Hono is for `src/control/` and features, the process environment for `src/main.ts`, and Daytona's words are not for the layers that know HTTP
 * only. Nothing imports test/ from outside, src/ imports nothing from outside and no text, and `gen/` is for `src/daytona/`
 * and the stand-in; a text in it is for the files beside its source, and gen/facts.ts for the tables that it is part of.
 * Who imports a file of `gen/` imports what that imports.
 */

/** Folders and files of src/, lowest layer first. */
const LAYERS = [
  "lib",
  "http",
  "platform",
  "stream",
  "facts",
  "error_codes.ts",
  "errors.ts",
  "config",
  "observability",
  "address",
  "cache",
  "records",
  "upstream",
  "downstream",
  "daytona",
  "resolver",
  "auth",
  "pages",
  "proxy",
  "control",
  "gateway",
  "features",
  "server",
  "modules.ts",
  "service.ts",
  "main.ts",
];

/** Layers that know HTTP only. */
const PLAIN_LAYERS = ["stream", "upstream", "downstream", "proxy"];

/** The client's leg and the upstream's know nothing of each other: what both speak is in stream/. */
const LEGS = ["upstream", "downstream"];

/** What they need not know; a header's name is a matter of HTTP. */
const DAYTONA = /(?<!\bx-)daytona|runner/gi;

/** Layers that import what is above them by a file of `gen/`: no others may. */
const KNOWN_BY_GEN: Readonly<Record<string, readonly string[]>> = {
  "facts.ts": [
    "error_codes.ts",
    "config",
    "observability",
    "address",
    "resolver",
    "auth",
    "pages",
    "proxy",
  ],
};

const HONO = /^(hono|@hono\/)/;

const REPOSITORY = new URL("../", import.meta.url).href;

/** The path of a file below the root of the repository, in segments. */
function segmentsOf({ href }: URL): readonly string[] {
  return href.startsWith(REPOSITORY)
    ? href.slice(REPOSITORY.length).split("/")
    : [];
}

/** Why `file` must not import `specifier`; undefined if it may. */
function importProblem(
  file: string,
  specifier: string,
): string | undefined {
  const importer = new URL(`file://${file}`);
  const from = segmentsOf(importer);
  const [root, layer = ""] = from;
  if (root === "src" && HONO.test(specifier)) {
    return layer === "control" || layer === "features"
      ? undefined
      : `only src/control and features import ${specifier}: keep Hono at the edge`;
  }
  if (!specifier.startsWith(".")) return undefined;

  const to = segmentsOf(new URL(specifier, importer));
  const [targetRoot, targetLayer = ""] = to;
  if (root === "src" && /\.(?:css|html|js)$/.test(specifier)) {
    return "src imports no text, which Deno Deploy cannot: import what deno task gen makes of it";
  }
  const above = root === "src" && targetRoot === "gen"
    ? problemByGen(layer, to)
    : undefined;
  const isFacts = isFactsOfFeature(from);
  if (targetRoot === "gen" && to[1] === "facts.ts") {
    return isFacts || root === "src" && isBelow(layer, "error_codes.ts")
      ? `gen/facts.ts is made of what src/${layer} has: import the table that it is part of`
      : above;
  }
  if (targetRoot === "gen" && to[1] === "features.ts") {
    return root === "src" && layer === "modules.ts"
      ? above
      : "only src/modules.ts imports gen/features.ts";
  }
  if (targetRoot === "gen") {
    // One turns Daytona's types into ours, the other stands in for Daytona.
    return ["src/daytona", "scripts/stand_in"].includes(`${root}/${layer}`) ||
        root === "src" && isBesideSource(from, to)
      ? above
      : "only src/daytona and scripts/stand_in import gen/: wrap what you need there";
  }
  if (root === "scripts" && targetRoot === "test") {
    return "scripts must not import test/";
  }
  if (root !== "src") return undefined;
  if (isFacts && targetLayer !== "facts" && !specifier.endsWith(".json")) {
    return "the facts of a feature import src/facts only, since every table is made of them";
  }
  if (targetRoot === "src") {
    return featureProblem(from, to) ?? layerProblem(layer, targetLayer);
  }
  // The version is declared in deno.json.
  return layer === "main.ts" && targetRoot === "deno.json"
    ? undefined
    : `src must not import ${specifier}`;
}

/** True for the file by which a feature brings its facts, which gen/facts.ts imports. */
function isFactsOfFeature(path: readonly string[]): boolean {
  return path[1] === "features" && path.length === 4 && path[3] === "facts.ts";
}

/** True for a text in `gen/text/` and a file of `src/` in the folder of the text's source. */
function isBesideSource(
  from: readonly string[],
  to: readonly string[],
): boolean {
  const [, ...folders] = from.slice(0, -1);
  return to.slice(1, -1).join("/") === ["text", ...folders].join("/");
}

/** Why a file of src/ must not import a feature's; undefined if it may. */
function featureProblem(
  from: readonly string[],
  to: readonly string[],
): string | undefined {
  if (to[1] !== "features") return undefined;
  if (isFactsOfFeature(to) && from[2] !== to[2]) {
    return "only gen/facts.ts imports the facts of a feature";
  }
  if (from[1] !== "features") return "only gen/features.ts imports features";
  return from[2] === to[2]
    ? undefined
    : `src/features/${from[2]} must not import src/features/${to[2]}`;
}

/** Why a layer of src/ must not import another; undefined if it may. */
function layerProblem(from: string, to: string): string | undefined {
  if (to === from) return undefined;
  const unknown = [from, to].find((name) => !LAYERS.includes(name));
  if (unknown !== undefined) {
    return `src/${unknown} is not a known layer: add it to LAYERS`;
  }
  if (LEGS.includes(from) && LEGS.includes(to)) {
    return `src/${from} must not import src/${to}: put what both legs speak into src/stream`;
  }
  return isBelow(to, from)
    ? undefined
    : `src/${from} must not import src/${to}: that layer is above it`;
}

/** Why a layer of src/ must not import a file of `gen/`, by what that imports; undefined if it may. */
function problemByGen(
  layer: string,
  path: readonly string[],
): string | undefined {
  const name = path.slice(1).join("/");
  if (KNOWN_BY_GEN[name]?.includes(layer)) return undefined;
  for (const [target, of] of importedByGen(name)) {
    const problem = target === "src" && of && layerProblem(layer, of);
    if (problem) return `${problem}, and gen/${name} imports it`;
  }
  return undefined;
}

/** What a file of `gen/` imports, in segments; nothing if it is not there. */
function importedByGen(name: string): readonly (readonly string[])[] {
  const url = new URL(`gen/${name}`, REPOSITORY);
  try {
    const source = Deno.readTextFileSync(url);
    return [...source.matchAll(/ from "(\.[^"]+)"/g)]
      .map(([, specifier = ""]) => segmentsOf(new URL(specifier, url)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

function isBelow(layer: string, other: string): boolean {
  return LAYERS.indexOf(layer) < LAYERS.indexOf(other);
}

const plugin: Deno.lint.Plugin = {
  name: "porthole",
  rules: {
    layers: {
      create(context) {
        function check(node: { source: Deno.lint.StringLiteral | null }): void {
          if (node.source === null) return;
          const problem = importProblem(context.filename, node.source.value);
          if (problem !== undefined) {
            context.report({ node: node.source, message: problem });
          }
        }
        return {
          ImportDeclaration: check,
          ExportAllDeclaration: check,
          ExportNamedDeclaration: check,
        };
      },
    },
    vocabulary: {
      create(context) {
        const [root, layer = ""] = segmentsOf(
          new URL(`file://${context.filename}`),
        );
        if (root !== "src" || !PLAIN_LAYERS.includes(layer)) return {};
        return {
          Program() {
            for (const word of context.sourceCode.text.matchAll(DAYTONA)) {
              context.report({
                range: [word.index, word.index + word[0].length],
                message: `src/${layer} knows HTTP only: say "${
                  word[0]
                }" in src/resolver`,
              });
            }
          },
        };
      },
    },
    environment: {
      create(context) {
        const inSrc = /\/src\//.test(context.filename);
        const isMain = /\/src\/main\.ts$/.test(context.filename);
        return {
          MemberExpression(node) {
            if (!inSrc || isMain) return;
            if (
              node.object.type === "Identifier" &&
              node.object.name === "Deno" &&
              node.property.type === "Identifier" &&
              /^(env|exit|addSignalListener|removeSignalListener)$/.test(
                node.property.name,
              )
            ) {
              context.report({
                node,
                message:
                  `only src/main.ts uses Deno.${node.property.name}: pass the value in`,
              });
            }
          },
        };
      },
    },
  },
};

export default plugin;
