import { ok, strictEqual as equal } from "node:assert/strict";
import { configTable } from "../../scripts/config_table.ts";
import { SETTINGS } from "../../src/config/config.ts";

Deno.test("configTable() has one row of four cells for every setting", () => {
  const rows = configTable().split("\n").filter((line) =>
    line.startsWith("| `")
  );

  equal(rows.length, Object.keys(SETTINGS).length);
  for (const row of rows) {
    equal(row.split(/(?<!\\)\|/).length, 6, row);
  }
});

Deno.test("configTable() marks what is required and says what an unset variable means", () => {
  const table = configTable();

  ok(/^\| `PROXY_API_KEY` \| \*\*required\*\* \|/m.test(table));
  ok(
    /^\| `PROXY_PORT` \| `4000` \| a whole number from 0 to 65535 \|/m.test(
      table,
    ),
  );
  ok(/^\| `SESSION_SECRETS` \| derived from PROXY_API_KEY \|/m.test(table));
});
