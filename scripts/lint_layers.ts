/**
 * The architecture as a lint plugin: a file imports only its own layer and lower ones, `gen/` is for `src/daytona/`,
 * Hono for `src/control/`, and the process environment for `src/main.ts`.
 */

/** Folders and files of src/, lowest layer first. */
const LAYERS = [
  "lib",
  "platform",
  "errors.ts",
  "config",
  "observability",
  "address",
  "cache",
  "daytona",
  "resolver",
  "auth",
  "upstream",
  "proxy",
  "pages",
  "control",
  "gateway",
  "server",
  "service.ts",
  "worker.ts",
  "main.ts",
];

const HONO = /^(hono|@hono\/)/;

function layerOf(url: URL): string | undefined {
  return /\/src\/([^/]+)/.exec(url.pathname)?.[1];
}

/** Why `file` must not import `specifier`; undefined if it may. */
function importProblem(
  file: string,
  specifier: string,
): string | undefined {
  const importer = new URL(`file://${file}`);
  const from = layerOf(importer);
  if (from === undefined) return undefined;
  if (HONO.test(specifier)) {
    return from === "control"
      ? undefined
      : `only src/control imports ${specifier}: keep Hono at the edge`;
  }
  if (!specifier.startsWith(".")) return undefined;

  const target = new URL(specifier, importer);
  if (from === "main.ts" && target.pathname.endsWith("/deno.json")) {
    return undefined; // the version is declared there
  }
  if (/\/gen\/[^/]*$/.test(target.pathname)) {
    return from === "daytona"
      ? undefined
      : "only src/daytona imports gen/: wrap what you need there";
  }
  const to = layerOf(target);
  if (to === undefined) return `src must not import ${specifier}`;
  if (to === from) return undefined;
  const fromRank = LAYERS.indexOf(from);
  const toRank = LAYERS.indexOf(to);
  if (fromRank < 0) return `src/${from} is not a known layer: add it to LAYERS`;
  if (toRank < 0) return `src/${to} is not a known layer: add it to LAYERS`;
  return toRank < fromRank
    ? undefined
    : `src/${from} must not import src/${to}: that layer is above it`;
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
