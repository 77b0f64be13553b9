/** Everything that the documents refer to exists: files, headings, tasks, settings, metrics and error codes. */
import assert from "node:assert/strict";
import { SETTINGS } from "../../src/config/config.ts";
import { ERRORS } from "../../src/error_codes.ts";
import { METRICS } from "../../src/observability/metrics/definitions.ts";

const ROOT = new URL("../../", import.meta.url);

/** The paths of all documents, from the root of the repository, and their texts without examples of code. */
const DOCUMENTS = new Map(
  await Promise.all(
    [
      "README.md",
      "CHANGELOG.md",
      "CONTRIBUTING.md",
      "SECURITY.md",
      "openapi/README.md",
      "test/conformance/README.md",
      ...["docs", "docs/run"].flatMap((folder) =>
        [...Deno.readDirSync(new URL(`${folder}/`, ROOT))]
          .map(({ name }) => `${folder}/${name}`)
          .filter((path) => path.endsWith(".md"))
      ),
    ].map(async (path) => {
      const text = await Deno.readTextFile(new URL(path, ROOT));
      return [path, text.replaceAll(/^```.*?^```$/gms, "")] as const;
    }),
  ),
);

/** `[label]: target`, at the end of a document. */
const DEFINITION = /^\[([^\]]+)\]: (\S+)$/gm;

/** The targets of a document's links within the repository. */
function linksIn(markdown: string): string[] {
  const definitions = [...markdown.matchAll(DEFINITION)];
  const inline = [...markdown.matchAll(/(\])\(([^)\s]+)\)/g)];
  return [...definitions, ...inline].map(([, , target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target));
}

/** The anchors of a document's headings, as derived by code hosts. */
function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading.toLowerCase().replaceAll(/[^\p{L}\p{N}_\- ]/gu, "")
      .replaceAll(" ", "-")
  );
}

Deno.test("every relative link of the documents leads to a file, and to a heading where it names one", async () => {
  const broken: string[] = [];
  for (const [document, text] of DOCUMENTS) {
    for (const link of linksIn(text)) {
      const [path = "", fragment = ""] = link.split("#", 2);
      const base = new URL(document, ROOT);
      const target = path === "" ? base : new URL(path, base);
      try {
        if (fragment === "") await Deno.stat(target);
        else {
          const anchors = anchorsOf(await Deno.readTextFile(target));
          assert(anchors.includes(fragment));
        }
      } catch {
        broken.push(`${document}: ${link}`);
      }
    }
  }
  assert.deepEqual(broken, []);
});

Deno.test("a label of a file, such as [service/access], links that file", () => {
  for (const [document, text] of DOCUMENTS) {
    for (
      const [, label = "", target = ""] of text.matchAll(
        /\[([a-z0-9_]+(?:\/[a-z0-9_]+)+)\]\(([^)]*\btest\/[^)]+\.ts)\)/g,
      )
    ) {
      assert.match(
        target,
        new RegExp(`/${label}(?:_test)?\\.ts$`),
        `${document}: ${label}`,
      );
    }
  }
});

Deno.test("every label of a file without a link of its own is defined, and every definition is used", () => {
  for (const [document, text] of DOCUMENTS) {
    const defined = [...text.matchAll(DEFINITION)].map(([, label]) => label);
    const used = text.replaceAll(DEFINITION, "")
      .matchAll(/\[([a-z0-9_]+(?:\/[a-z0-9_]+)+)\](?!\()/g);
    assert.deepEqual(
      new Set([...used].map(([, label]) => label)),
      new Set(defined),
      document,
    );
  }
});

/** True if there is a file or folder of that path, from the root of the repository or from `src/`. */
async function isPath(path: string): Promise<boolean> {
  for (const base of [ROOT, new URL("src/", ROOT)]) {
    const found = await Deno.stat(new URL(path, base)).catch(() => null);
    if (found !== null) return true;
  }
  return false;
}

Deno.test("every file of the source that a document names by its path exists", async () => {
  for (const [document, text] of DOCUMENTS) {
    if (document === "CHANGELOG.md") continue; // it names what is gone
    const named = text.matchAll(/`((?:[a-z0-9_]+\/)+[a-z0-9_]+\.ts)`/g);
    for (const [, path = ""] of named) {
      assert(await isPath(path), `${document}: ${path}`);
    }
  }
});

Deno.test("every function that the walk in docs/architecture.md names is in the file of its step", async () => {
  const [, walk = ""] = (DOCUMENTS.get("docs/architecture.md") ?? "")
    .split(/^## .*file by file$/m);
  const steps = [...walk.matchAll(
    /^\d+\. \[`(src\/[^`]+)`\].*?(?=^\d+\. |\n\n)/gms,
  )];
  assert.equal(steps.length, 12);
  for (const [text, path = ""] of steps) {
    const source = await Deno.readTextFile(new URL(path, ROOT));
    for (const [, name = ""] of text.matchAll(/`(?:\w+\.)?(#?\w+)\(\)`/g)) {
      assert(source.includes(`${name}(`), `${path}: ${name}()`);
    }
  }
});

Deno.test("docs/architecture.md has a row for every room of src/, in the order that the lint keeps", async () => {
  const [, section = ""] = (DOCUMENTS.get("docs/architecture.md") ?? "")
    .split("\n## The rooms of the source\n");
  const rows = [...section.matchAll(/^\| `([a-z_.]+)\/?` /gm)]
    .map(([, name]) => name);
  const lint = await Deno.readTextFile(
    new URL("scripts/lint_layers.ts", ROOT),
  );
  const [, list = ""] = /LAYERS = \[(.*?)\]/s.exec(lint) ?? [];
  const layers = [...list.matchAll(/"(.+?)"/g)].map(([, name]) => name);
  assert.deepEqual(rows, layers);
});

/** A document with its examples of code. */
function readDocument(path: string): Promise<string> {
  return Deno.readTextFile(new URL(path, ROOT));
}

Deno.test("every metric and every error code that a document names exists", () => {
  const metrics = new Set<string>(
    Object.values(METRICS).map(({ name }) => name),
  ).add("porthole_build_info");
  for (const [document, text] of DOCUMENTS) {
    if (document === "CHANGELOG.md") continue;
    const named = text.matchAll(/`((?:porthole|process)_[a-z_]+)[`{]/g);
    for (const [, name = ""] of named) {
      assert(metrics.has(name), `${document}: ${name}`);
    }
    for (
      const [, code = ""] of text.matchAll(/\b[45]\d\d `([a-z_]+_[a-z_]+)`/g)
    ) {
      assert(code in ERRORS, `${document}: ${code}`);
    }
  }
});

Deno.test("every setting that a document names exists", () => {
  const others = /^(?:DAYTONA_SANDBOX_AUTH_KEY|PREVIEW_TOKEN|COOKIE_DOMAIN)$/;
  const prefixes = new Set(
    Object.keys(SETTINGS).map((name) => name.split("_")[0]),
  );
  for (const [document, text] of DOCUMENTS) {
    if (document === "CHANGELOG.md") continue;
    for (
      const [, name = ""] of text.matchAll(/`([A-Z]+(?:_[A-Z]+)+)(?:=[^`]*)?`/g)
    ) {
      const [prefix] = name.split("_");
      if (!prefixes.has(prefix) || others.test(name)) continue;
      assert(name in SETTINGS, `${document}: ${name}`);
    }
  }
});

Deno.test("every task that a document tells to run exists, and so does every script", async () => {
  const { tasks } = JSON.parse(await readDocument("deno.json"));
  for (const document of DOCUMENTS.keys()) {
    if (document === "CHANGELOG.md") continue;
    const text = await readDocument(document);
    const named = text.matchAll(
      /\bdeno(?:@[\d.]+)? task (?:--\S+ )*([a-z][\w:]*)/g,
    );
    for (const [, task = ""] of named) {
      assert(task in tasks, `${document}: ${task}`);
    }
    const scripts = text.matchAll(/(?<![\w/])scripts\/[\w./]+\.(?:ts|yaml)\b/g);
    for (const [path] of scripts) {
      assert(await isPath(path), `${document}: ${path}`);
    }
  }
});
