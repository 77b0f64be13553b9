import assert from "node:assert/strict";
import { MEDIUM_MEMORY, runtimeFor, SMALL_MEMORY } from "./small_memory.ts";

const PAGE = await Deno.readTextFile("docs/operate.md");

Deno.test("gateways of the laboratories have the settings that docs/operate.md gives for 256 and 512 MiB", () => {
  const [, table = ""] = /^(\| Setting +\| 256 MiB[^]*?)\n\n/m.exec(PAGE) ?? [];
  const rows = [
    ...table.matchAll(/^\| `(\w+)` +\| `(\w+)` +\| (?:`(\w+)`|–)/gm),
  ];
  const small = rows.map(([, name = "", value = ""]) => [name, value]);
  assert.deepEqual(SMALL_MEMORY, Object.fromEntries(small));
  const medium = rows.filter(([, , , value]) => value !== undefined)
    .map(([, name = "", , value = ""]) => [name, value]);
  assert.deepEqual(MEDIUM_MEMORY, Object.fromEntries(medium));
  for (const [name, value] of Object.entries(runtimeFor(256))) {
    assert.ok(PAGE.includes(`${name}=${value}`));
  }
});
