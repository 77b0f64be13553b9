/**
 * In Deno, `import { equal } from "node:assert/strict"` imports the loose comparison of that name; only the default
 * export is strict. This lint rule keeps such an import from producing a test that cannot fail.
 */

const LOOSE: ReadonlySet<string> = new Set([
  "deepEqual",
  "equal",
  "notDeepEqual",
  "notEqual",
]);

const plugin: Deno.lint.Plugin = {
  name: "assert",
  rules: {
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
