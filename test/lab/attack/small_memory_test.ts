import assert from "node:assert/strict";
import { RUNTIME, SMALL_MEMORY } from "./small_memory.ts";

const PAGE = await Deno.readTextFile("docs/operate.md");

Deno.test("the gateway under attack has the settings that docs/operate.md gives for 256 MiB", () => {
  const [, table = ""] = /^(\| Setting +\| 256 MiB[^]*?)\n\n/m.exec(PAGE) ?? [];
  const rows = [...table.matchAll(/^\| `(\w+)` +\| `(\w+)`/gm)]
    .map(([, name = "", value = ""]) => [name, value] as const);
  assert.deepEqual(SMALL_MEMORY, Object.fromEntries(rows));
  for (const [name, value] of Object.entries(RUNTIME)) {
    assert.ok(PAGE.includes(`${name}=${value}`));
  }
});
