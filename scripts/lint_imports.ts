/** Keeps the imports of src/ in order: packages first, then `../`, then `./`, each alphabetically by path. */

/** What an import is sorted by: a space is before any character of a path, and `../` before `./` already. */
function placeOf(specifier: string): string {
  return specifier.startsWith(".") ? specifier : ` ${specifier}`;
}

const plugin: Deno.lint.Plugin = {
  name: "imports",
  rules: {
    sorted: {
      create(context) {
        if (!/\/src\//.test(context.filename)) return {};
        let previous = "";
        return {
          ImportDeclaration({ source }) {
            if (placeOf(source.value) < placeOf(previous)) {
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
  },
};

export default plugin;
