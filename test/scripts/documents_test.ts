/** What the documents name exists: files, calls, tasks, settings, metrics and error codes. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { modulesIn } from "../../scripts/check_cycles.ts";
import { ERRORS } from "../../src/error_codes.ts";
import { METRICS } from "../../src/observability/metrics/definitions.ts";
import { ALL_SETTINGS } from "../../src/modules.ts";
import { Calls } from "../support/calls.ts";
import {
  DOCUMENTS,
  readDocument,
  ROOT,
  type WalkStep,
  walkSteps,
} from "../support/documents.ts";

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

/** Which functions of src/ call which. */
async function callsInSource(): Promise<Calls> {
  const paths = await modulesIn(fileURLToPath(new URL("src", ROOT)));
  const texts = paths.map(async (path) =>
    [path, await Deno.readTextFile(path)] as const
  );
  return new Calls(new Map(await Promise.all(texts)));
}

Deno.test("each file on the ways in docs/architecture.md is called by the one before it, by the one that it names, or by the browser", async () => {
  const steps = walkSteps(DOCUMENTS.get("docs/architecture.md") ?? "");
  assert.deepEqual(
    steps.map(({ number }) => number),
    steps.map((_, index) => index + 1),
  );
  assert(steps.length > 35);
  const calls = await callsInSource();
  function find({ path }: WalkStep, name: string) {
    const found = calls.find(fileURLToPath(new URL(path, ROOT)), name);
    return found ?? assert.fail(`${path}: ${name}()`);
  }
  const wrong = steps.slice(1).filter((step) => {
    const called = step.functions.map((name) => find(step, name));
    if (step.from === undefined) return called.length === 0;
    const caller = steps[step.from - 1] ?? step;
    return !caller.functions.some((name) =>
      called[0] && calls.leads(find(caller, name), called[0])
    );
  });
  assert.deepEqual(wrong, []);
});

Deno.test("every feature has a page", async () => {
  for await (const { name } of Deno.readDir(new URL("src/features/", ROOT))) {
    assert(DOCUMENTS.has(`docs/features/${name}.md`), name);
  }
});

Deno.test("docs/architecture.md has a line for every room of src/, in the order that the lint keeps", async () => {
  const [, section = ""] = (DOCUMENTS.get("docs/architecture.md") ?? "")
    .split("\n## The rooms of the source\n");
  const rows = [...section.matchAll(/^- `([a-z_.]+)\/?`: /gm)]
    .map(([, name]) => name);
  const lint = await Deno.readTextFile(
    new URL("scripts/lint_layers.ts", ROOT),
  );
  const [, list = ""] = /LAYERS = \[(.*?)\]/s.exec(lint) ?? [];
  const layers = [...list.matchAll(/"(.+?)"/g)].map(([, name]) => name);
  assert.deepEqual(rows, layers);
});

Deno.test("every metric and every error code that a document names exists", () => {
  const metrics = new Set<string>(
    Object.values(METRICS).map(({ name }) => name),
  ).add("porthole_build_info");
  const parameters = ["porthole_token", "porthole_cookie"];
  for (const [document, text] of DOCUMENTS) {
    if (document === "CHANGELOG.md") continue;
    const named = text.matchAll(/`((?:porthole|process)_[a-z_]+)[`{]/g);
    for (const [, name = ""] of named) {
      const isKnown = metrics.has(name) || parameters.includes(name);
      assert(isKnown, `${document}: ${name}`);
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
    Object.keys(ALL_SETTINGS).map((name) => name.split("_")[0]),
  );
  for (const [document, text] of DOCUMENTS) {
    if (document === "CHANGELOG.md") continue;
    for (
      const [, name = ""] of text.matchAll(/`([A-Z]+(?:_[A-Z]+)+)(?:=[^`]*)?`/g)
    ) {
      const [prefix] = name.split("_");
      if (!prefixes.has(prefix) || others.test(name)) continue;
      assert(name in ALL_SETTINGS, `${document}: ${name}`);
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
