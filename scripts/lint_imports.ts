/**
 * Imports as a lint plugin. In src/, packages come first, then `../`, then `./`, each alphabetically by path. Nothing
 * imports a loose comparison: in Deno, `import { equal } from "node:assert/strict"` is the loose one of that name, and
 * only the default export is strict, so such a test could not fail.
 */

/** The sort key of an import: a space is before any character of a path, and `../` before `./` already. */
function keyOf(specifier: string): string {
  return specifier.startsWith(".") ? specifier : ` ${specifier}`;
}

const LOOSE: ReadonlySet<string> = new Set([
  "deepEqual",
  "equal",
  "notDeepEqual",
  "notEqual",
]);

const plugin: Deno.lint.Plugin = {
  name: "imports",
  rules: {
    sorted: {
      create(context) {
        if (!/\/src\//.test(context.filename)) return {};
        let previous = "";
        return {
          ImportDeclaration({ source }) {
            if (keyOf(source.value) < keyOf(previous)) {
              context.report({
                node: source,
                message: `import this before ${previous}`,
              });
            }
            previous = source.value;
          },
        };
      },
    },
    strict: {
      create(context) {
        return {
          ImportSpecifier(node) {
            const { parent, imported } = node;
            if (
              parent?.type === "ImportDeclaration" &&
              parent.source.value.startsWith("node:assert") &&
              imported.type === "Identifier" && LOOSE.has(imported.name)
            ) {
              context.report({
                node,
                message:
                  `this ${imported.name} compares loosely: use the default export of node:assert/strict`,
              });
            }
          },
        };
      },
    },
  },
};

export default plugin;
