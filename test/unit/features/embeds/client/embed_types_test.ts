import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import ts from "typescript";

/** What the type checker of browsers' pages has against files of the client. */
function problemsOf(...names: string[]): string[] {
  const folder = "../../../../../src/features/embeds/client/";
  const program = ts.createProgram(
    names.map((name) => fileURLToPath(new URL(folder + name, import.meta.url))),
    {
      allowJs: true,
      checkJs: true,
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      noEmit: true,
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      lib: ["lib.es2022.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
      types: [],
    },
  );
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) =>
    ts.flattenDiagnosticMessageText(messageText, "\n")
  );
}

Deno.test("the module is as its types say, and both are clean for `// @ts-check`", () => {
  assert.deepEqual(problemsOf("embed.js", "embed.d.ts"), []);
});
