/** The list of dev servers in docs/apps.md agrees with their descriptions. */
import assert from "node:assert/strict";
import { SERVERS } from "./servers.ts";
import { lineText, rowsOf } from "./table.ts";

const DOCUMENT = new URL("../../../../docs/apps.md", import.meta.url);

Deno.test("docs/apps.md has a row for every dev server, of the version that is run, and says why it needs a line", async () => {
  const text = await Deno.readTextFile(DOCUMENT);
  const rows = rowsOf(text);
  assert.deepEqual(
    [...rows.keys()],
    SERVERS.map(({ title }) => title),
  );
  for (const { title, packages, line } of SERVERS) {
    const row = rows.get(title) ?? "";
    if ("npm" in packages) {
      const [first = ""] = Object.keys(packages.npm);
      const version = packages.npm[packages.main ?? first] ?? "";
      assert.ok(row.includes(`** ${version}: `), `${title}: ${version}`);
    }
    if (line !== undefined) {
      assert.ok(row.includes(lineText(line)), title);
    }
  }
});

Deno.test("rowsOf() finds the rows between the marks, by what they begin with, each in one line", () => {
  const rows = rowsOf(`- **Other** 1: works
<!-- dev-servers:start -->

- **One** 1.0.0: works; with its line,
  works: a
- **Two** 2.0.0: works

<!-- dev-servers:end -->
- **Third** 3: works`);
  assert.deepEqual([...rows.keys()], ["One", "Two"]);
  assert.equal(
    rows.get("One"),
    "- **One** 1.0.0: works; with its line, works: a",
  );
});
