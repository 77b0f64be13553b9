/** Our own lint rules. */
import assert from "node:assert/strict";
import imports from "../../scripts/lint_imports.ts";
import layers from "../../scripts/lint_layers.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** The messages for a file of the repository that imports these, in this order. */
function problems(
  plugin: Deno.lint.Plugin,
  file: string,
  ...specifiers: readonly string[]
): string[] {
  const source = specifiers.map((from) => `import "${from}";\n`).join("");
  return Deno.lint.runPlugin(plugin, ROOT + file, source)
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
  assert.deepEqual(problems(imports, "src/a.ts", ...SORTED), []);
});

Deno.test("porthole/vocabulary reports a word of Daytona's where only HTTP is known, but for the names of headers", () => {
  function reported(layer: string): string[] {
    const source = `// Daytona's
      const runnerUrl = headers.get("x-daytona-region");`;
    return Deno.lint.runPlugin(layers, `${ROOT}src/${layer}/a.ts`, source)
      .map(({ message }) => message);
  }
  assert.deepEqual(reported("proxy"), [
    'src/proxy knows HTTP only: say "Daytona" in src/resolver',
    'src/proxy knows HTTP only: say "runner" in src/resolver',
  ]);
  assert.equal(reported("upstream").length, 2);
  assert.deepEqual(reported("resolver"), []);
});

Deno.test("imports/sorted reports any two that are swapped, and names the one that comes later", () => {
  for (const [i, earlier] of SORTED.entries()) {
    const later = SORTED[i + 1];
    if (later === undefined) break;
    const swapped = SORTED.with(i, later).with(i + 1, earlier);
    assert.deepEqual(problems(imports, "src/a.ts", ...swapped), [
      `import this before ${later}`,
    ]);
  }
});

Deno.test("imports/sorted is for src/ only", () => {
  const swapped = ["./b.ts", "./a.ts"];
  assert.deepEqual(problems(imports, "test/a_test.ts", ...swapped), []);
});

Deno.test("imports/strict reports a comparison of node:assert/strict that is loose, and no other", () => {
  function reported(name: string): number {
    const source = `import { ${name} } from "node:assert/strict";`;
    return Deno.lint.runPlugin(imports, `${ROOT}test/a.ts`, source).length;
  }
  assert.deepEqual(["equal", "deepEqual", "notEqual"].map(reported), [1, 1, 1]);
  assert.deepEqual(["strictEqual", "match"].map(reported), [0, 0]);
});

Deno.test("layers are only crossed downwards, and out of src/, scripts/ and test/ only where that is meant", () => {
  const allowed: [file: string, specifier: string][] = [
    ["src/main.ts", "../deno.json"],
    ["src/proxy/a.ts", "../lib/b.ts"],
    ["src/proxy/a.ts", "./b.ts"],
    ["src/control/a.ts", "hono"],
    ["src/daytona/a.ts", "../../gen/daytona.ts"],
    ["scripts/stand_in/a.ts", "../../gen/daytona.ts"],
    ["src/pages/a.ts", "../../gen/text/pages/a.css.ts"],
    ["src/features/a/b.ts", "../../../gen/text/features/a/b.js.ts"],
    ["src/auth/a.ts", "../../gen/facts.ts"],
    ["scripts/generate/a.ts", "../../gen/facts.ts"],
    ["src/modules.ts", "../gen/features.ts"],
    ["src/features/a/facts.ts", "../../facts/b.ts"],
    ["src/features/a/facts.ts", "./b.json"],
    ["src/features/a/b.ts", "./facts.ts"],
    ["scripts/demo/a.ts", "../stand_in/b.ts"],
    ["scripts/demo/a.ts", "../../src/service.ts"],
    ["test/lib/a_test.ts", "../../src/lib/b.ts"],
    ["test/lab/bench/a.ts", "../../scripts/stand_in/b.ts"],
  ];
  for (const [file, specifier] of allowed) {
    assert.deepEqual(problems(layers, file, specifier), [], file);
  }
  const refused: [file: string, specifier: string, problem: RegExp][] = [
    ["src/lib/a.ts", "../proxy/b.ts", /that layer is above it/],
    ["src/attic/a.ts", "../lib/b.ts", /not a known layer/],
    ["src/lib/a.ts", "../../scripts/stand_in/b.ts", /src must not import/],
    ["src/lib/a.ts", "../../test/support/b.ts", /src must not import/],
    ["src/lib/a.ts", "../../deno.json", /src must not import/],
    ["src/gateway/a.ts", "hono", /only src\/control/],
    ["src/auth/a.ts", "../../gen/daytona.ts", /only src\/daytona/],
    ["scripts/demo/a.ts", "../../gen/daytona.ts", /only src\/daytona/],
    ["src/auth/a.ts", "../../gen/text/pages/a.css.ts", /only src\/daytona/],
    ["src/pages/a.ts", "../../gen/text/a.css.ts", /only src\/daytona/],
    ["scripts/demo/a.ts", "../../gen/text/demo/a.css.ts", /only src/],
    ["src/facts/a.ts", "../../gen/facts.ts", /is made of what src\/facts has/],
    ["src/cache/a.ts", "../../gen/facts.ts", /above it, and gen\/facts.ts/],
    ["src/service.ts", "./features/a/facts.ts", /only gen\/facts.ts imports/],
    ["src/service.ts", "./features/a/a_feature.ts", /only gen\/features.ts/],
    ["src/main.ts", "../gen/features.ts", /only src\/modules.ts imports gen/],
    ["src/features/a/facts.ts", "../../../gen/facts.ts", /is made of/],
    ["src/features/a/facts.ts", "./b.ts", /import src\/facts only/],
    ["src/features/a/facts.ts", "../../auth/b.ts", /import src\/facts only/],
    ["src/pages/a.ts", "./a.css", /src imports no text/],
    ["test/daytona/a_test.ts", "../../gen/daytona.ts", /only src\/daytona/],
    ["scripts/demo/a.ts", "../../test/support/b.ts", /must not import test/],
  ];
  for (const [file, specifier, problem] of refused) {
    assert.match(problems(layers, file, specifier).join(), problem, file);
  }
});
