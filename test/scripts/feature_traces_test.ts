import assert from "node:assert/strict";
import { tracesIn, wordsOf } from "../../scripts/feature_traces.ts";

const ROOT = new URL("../../", import.meta.url);

/** What a tree with these files has left of a feature, without the text of the lines. */
async function tracesOf(
  name: string,
  files: Readonly<Record<string, string>>,
): Promise<string[]> {
  const tree = new URL(`data/test/traces-${crypto.randomUUID()}/`, ROOT);
  try {
    for (const folder of ["src/features", "gen", "openapi", "docs/features"]) {
      await Deno.mkdir(new URL(folder, tree), { recursive: true });
    }
    for (const [path, text] of Object.entries(files)) {
      await Deno.writeTextFile(new URL(path, tree), text);
    }
    const traces = await tracesIn(tree, name, await wordsOf(name));
    return traces.map((trace) => trace.split(": ").slice(0, 2).join(" "));
  } finally {
    await Deno.remove(tree, { recursive: true });
  }
}

Deno.test("a code, a setting, a label, a path and a metric that are left are told, each with its line", async () => {
  const traces = await tracesOf("shares", {
    "src/a.ts": 'throw of("share_invalid");\nconst via = "share";\n',
    "openapi/a.json": '{\n"/s/{id}": {} }',
    "docs/a.md": "With `SHARE_MAX_SEC`.\n",
  });
  assert.deepEqual(traces, [
    "src/a.ts:1 share_invalid",
    'src/a.ts:2 "share"',
    "openapi/a.json:2 /s/{id}",
    "docs/a.md:1 SHARE_MAX_SEC",
  ]);
  const names = await tracesOf("names", { "docs/b.md": "`porthole_names`" });
  assert.deepEqual(names, ["docs/b.md:1 porthole_names"]);
});

Deno.test("everyday words, others' longer ones and one line of a page that leads to the feature's are no traces", async () => {
  const traces = await tracesOf("shares", {
    "src/features/a.ts": 'const share = "share";\n',
    "src/b.ts": "// what gateways share: not_share_invalid, /api/v1/shares2\n",
    "docs/a.md": "| `SHARES` | [shares](features/shares.md) |\n",
    "docs/features/b.md": "[shares](shares.md)\n[again](shares.md)\n",
  });
  assert.deepEqual(traces, ["docs/features/b.md:2 shares.md"]);
});
