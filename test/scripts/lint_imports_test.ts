import assert from "node:assert/strict";
import plugin from "../../scripts/lint_imports.ts";

/** The messages for a file that imports these, in this order. */
function problems(
  specifiers: readonly string[],
  file = "/r/src/a.ts",
): string[] {
  const source = specifiers.map((from) => `import "${from}";\n`).join("");
  return Deno.lint.runPlugin(plugin, file, source)
    .map(({ message }) => message);
}

const SORTED = [
  "@hono/zod-openapi",
  "node:path",
  "zod",
  "../../errors.ts",
  "../config/config.ts",
  "../config/settings.ts",
  "../config_table.ts",
  "./a.ts",
  "./routes/a.ts",
];

Deno.test("imports/sorted accepts packages, then what is above, then what is beside or below", () => {
  assert.deepEqual(problems(SORTED), []);
});

Deno.test("imports/sorted reports any two that are swapped, and names the one that comes later", () => {
  for (const [i, earlier] of SORTED.entries()) {
    const later = SORTED[i + 1];
    if (later === undefined) break;
    const swapped = SORTED.with(i, later).with(i + 1, earlier);
    assert.deepEqual(problems(swapped), [`import this before ${later}`]);
  }
});

Deno.test("imports/sorted is for src/ only", () => {
  assert.deepEqual(problems(["./b.ts", "./a.ts"], "/r/test/a_test.ts"), []);
});
