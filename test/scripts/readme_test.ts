/** Everything that the documents refer to exists: files, tests, headings, metrics and error codes. */
import assert from "node:assert/strict";
import { ERROR_STATUS } from "../../src/errors.ts";
import { METRICS } from "../../src/observability/metrics/definitions.ts";
import {
  anchorsOf,
  isQuoteOf,
  readDocument,
  stringLiterals,
} from "./doc_references.ts";

const ROOT = new URL("../../", import.meta.url);
const COMPARISON = "docs/from-daytonas-proxy.md";
const DOCUMENTS = [
  "README.md",
  "SECURITY.md",
  "docs/architecture.md",
  COMPARISON,
  "docs/licences.md",
  "docs/operations.md",
  "docs/performance.md",
  "docs/reliability.md",
  "test/conformance/README.md",
];

function read(path: string): Promise<string> {
  return Deno.readTextFile(new URL(path, ROOT));
}

Deno.test("every page of docs/ is among the documents", async () => {
  for await (const { name } of Deno.readDir(new URL("docs/", ROOT))) {
    if (name.endsWith(".md")) assert(DOCUMENTS.includes(`docs/${name}`), name);
  }
});

Deno.test("every relative link of the documents leads to a file, and to a heading where it names one", async () => {
  const broken: string[] = [];
  for (const document of DOCUMENTS) {
    for (const { path, fragment } of readDocument(await read(document)).links) {
      const base = new URL(document, ROOT);
      const target = path === "" ? base : new URL(path, base);
      try {
        const text = fragment === "" ? "" : await Deno.readTextFile(target);
        if (fragment === "") await Deno.stat(target);
        else assert(anchorsOf(text).includes(fragment));
      } catch {
        broken.push(`${document}: ${path}#${fragment}`);
      }
    }
  }
  assert.deepEqual(broken, []);
});

Deno.test("every test that the documents name is in the file that they name", async () => {
  const missing: string[] = [];
  let count = 0;
  for (const document of DOCUMENTS) {
    for (const { path, name } of readDocument(await read(document)).tests) {
      count++;
      const file = new URL(path, new URL(document, ROOT));
      const source = await Deno.readTextFile(file).catch(() => "");
      if (!stringLiterals(source).some((text) => isQuoteOf(name, text))) {
        missing.push(`${document}: ${path} “${name}”`);
      }
    }
  }
  assert.deepEqual(missing, []);
  assert(count > 100, `The documents name ${count} tests`);
});

Deno.test("every label of a file in the documents is defined, and every definition is used", async () => {
  for (const document of DOCUMENTS) {
    const { undefinedLabels, unusedLabels } = readDocument(
      await read(document),
    );
    assert.deepEqual([undefinedLabels, unusedLabels], [[], []], document);
  }
});

Deno.test("each 'same' of the comparison with Daytona's proxy names a test", async () => {
  const comparison = await read(COMPARISON);
  const rows = comparison.split("\n").filter((line) =>
    line.startsWith("|") && !/^\| -|\| Here +\|/.test(line)
  );
  assert(rows.length > 60, `The comparison has ${rows.length} rows`);
  for (const row of rows) {
    assert.match(row, /\| (?:same|stricter|not)\b/, row);
    if (/\| same\b/.test(row)) assert.match(row, /\[\w+(?:\/\w+)+\]/, row);
  }
});

Deno.test("docs/operations.md lists every metric and no other", async () => {
  const listed = [...(await read("docs/operations.md"))
    .matchAll(/`((?:porthole|process)_[a-z_]+)`/g)].map(([, name]) => name);
  const defined = Object.values(METRICS)
    .map(({ name }) => name);
  assert.deepEqual(
    new Set(listed),
    new Set([...defined, "porthole_build_info"]),
  );
});

Deno.test("docs/operations.md lists every error code with its status", async () => {
  const [, section = ""] = (await read("docs/operations.md"))
    .split("\n## Error codes\n");
  const [table = ""] = section.split("\n## ");
  const listed = [...table.matchAll(/^\| `([a-z_]+)` +\| (\d{3}) /gm)]
    .map(([, code = "", status]) => [code, Number(status)]);
  assert.deepEqual(Object.fromEntries(listed), ERROR_STATUS);
});

Deno.test("readDocument() finds links, labels and the tests that are quoted behind a label", () => {
  const { links, tests, undefinedLabels, unusedLabels } = readDocument(
    [
      "A “word”, a [page](docs/a.md#b), [elsewhere](https://example.com/).",
      "",
      "| [service/a] “is one”, “is",
      "two…”, [src/b] “is none” | [no/c] |",
      "",
      "[service/a]: test/service/a_test.ts",
      "[src/b]: src/b.ts",
      "[un/used]: test/u_test.ts",
    ].join("\n"),
  );
  assert.deepEqual(links.map(({ path }) => path), [
    "test/service/a_test.ts",
    "src/b.ts",
    "test/u_test.ts",
    "docs/a.md",
  ]);
  assert.equal(links.at(-1)?.fragment, "b");
  const path = "test/service/a_test.ts";
  assert.deepEqual(tests, [
    { path, name: "is one" },
    { path, name: "is two…" },
  ]);
  assert.deepEqual(undefinedLabels, ["no/c"]);
  assert.deepEqual(unusedLabels, ["un/used"]);
});

Deno.test("isQuoteOf() takes a name with parts left out, and no other", () => {
  const name = "a login's cookie reaches no app: at any position";
  for (
    const quoted of [name, "a login's cookie…", "…at any position", "a…app…"]
  ) {
    assert(isQuoteOf(quoted, name), quoted);
  }
  for (
    const quoted of [
      "a login's cookie",
      "cookie…",
      "a…apps…",
      "at any position",
    ]
  ) {
    assert(!isQuoteOf(quoted, name), quoted);
  }
});
