import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { daytonaTypes } from "../../scripts/generate/apis.ts";
import { appsPage } from "../../scripts/generate/apps_page.ts";
import { refresh, removeOthers } from "../../scripts/generate/artefact.ts";
import { clientsOf, daytonaClients } from "../../scripts/generate/clients.ts";
import { errorsPage, errorsText } from "../../scripts/generate/errors_page.ts";
import {
  factsModule,
  factsText,
  featureFacts,
  refuseDoubled,
} from "../../scripts/generate/facts.ts";
import { CORE_FACTS } from "../../scripts/generate/core_facts.ts";
import { featuresText } from "../../scripts/generate/features.ts";
import { metricsPage } from "../../scripts/generate/metrics_page.ts";
import {
  prometheusRule,
  ruleText,
} from "../../scripts/generate/prometheus_rule.ts";
import { settingsPage } from "../../scripts/generate/settings_page.ts";
import {
  textModule,
  textModules,
} from "../../scripts/generate/text_modules.ts";
import { formatted, replaceRegion } from "../../scripts/generate/text.ts";
import type { Setting } from "../../src/config/read_settings.ts";
import { ALL_SETTINGS } from "../../src/modules.ts";
import { ERROR_CODES, ERRORS } from "../../src/error_codes.ts";
import { METRICS } from "../../src/observability/metrics/definitions.ts";

const ROOT = new URL("../../", import.meta.url);

/** A temporary folder under data/test. */
async function scratch(): Promise<{ root: URL } & AsyncDisposable> {
  const root = new URL(`data/test/generate-${crypto.randomUUID()}/`, ROOT);
  await Deno.mkdir(root, { recursive: true });
  return {
    root,
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

function artefact(path: string, text: string) {
  return { path, produce: () => Promise.resolve(text) };
}

Deno.test("refresh() writes what is missing or stale, and names it", async () => {
  await using folder = await scratch();
  const { root } = folder;
  await Deno.writeTextFile(new URL("old", root), "old text");
  await Deno.writeTextFile(new URL("same", root), "same text");
  const artefacts = [
    artefact("new", "new text"),
    artefact("old", "newer text"),
    artefact("same", "same text"),
  ];
  const options = { root, check: false };
  assert.deepEqual(await refresh(artefacts, options), ["new", "old"]);
  assert.equal(await Deno.readTextFile(new URL("old", root)), "newer text");
  assert.equal(await Deno.readTextFile(new URL("new", root)), "new text");
  assert.deepEqual(await refresh(artefacts, options), []);
});

Deno.test("removeOthers() removes the modules that nothing makes any more, and with check names them only", async () => {
  await using folder = await scratch();
  const { root } = folder;
  await Deno.mkdir(new URL("gen/deep", root), { recursive: true });
  for (const path of ["gen/a.ts", "gen/deep/b.ts"]) {
    await Deno.writeTextFile(new URL(path, root), "");
  }
  const made = [artefact("gen/a.ts", "")];
  for (const check of [true, false]) {
    const others = await removeOthers("gen/", made, { root, check });
    assert.deepEqual(others, ["gen/deep/b.ts"]);
  }
  const left = await removeOthers("gen/", made, { root, check: true });
  assert.deepEqual(left, []);
});

Deno.test("refresh() with check writes nothing", async () => {
  await using folder = await scratch();
  const { root } = folder;
  await Deno.writeTextFile(new URL("old", root), "old text");
  const artefacts = [artefact("new", "x"), artefact("old", "newer text")];
  assert.deepEqual(await refresh(artefacts, { root, check: true }), [
    "new",
    "old",
  ]);
  assert.equal(await Deno.readTextFile(new URL("old", root)), "old text");
  await assert.rejects(Deno.stat(new URL("new", root)), Deno.errors.NotFound);
});

Deno.test("daytonaTypes are up to date, and the same each time", async () => {
  const text = await daytonaTypes.produce();
  assert.equal(text, await daytonaTypes.produce());
  assert.equal(text, await Deno.readTextFile(new URL(daytonaTypes.path, ROOT)));
  assert.match(text, /isSandboxPublic: \{/);
});

Deno.test("daytonaClients are up to date", async () => {
  const text = await daytonaClients.produce();
  assert.equal(
    text,
    await Deno.readTextFile(new URL(daytonaClients.path, ROOT)),
  );
});

Deno.test("factsModule is up to date, and no two of features and core bring the same fact", async () => {
  const path = new URL(factsModule.path, ROOT);
  assert.equal(await factsModule.produce(), await Deno.readTextFile(path));
  refuseDoubled([["the core", CORE_FACTS], ...await featureFacts()]);
});

Deno.test("a fact that two bring ends the generation, which names both", () => {
  const errors = { too_loud: { ...ERRORS.internal } };
  const owned = [["shares", { errors }], ["wake", { errors }]] as const;
  assert.throws(() => refuseDoubled(owned), {
    message: "shares and wake both bring errors: too_loud",
  });
});

Deno.test("featuresText() lists what each folder exports by its own name", () => {
  const text = featuresText(["abuse", "access_page"]);
  for (
    const line of [
      'import { abuse } from "../src/features/abuse/abuse_feature.ts";',
      'import { accessPage } from "../src/features/access_page/access_page_feature.ts";',
      "Object.freeze([\n  abuse,\n  accessPage,\n]);",
    ]
  ) assert(text.includes(line), line);
});

Deno.test("factsText() spreads the facts of those that bring any, and is the same module if none does", () => {
  const texts = { a: { title: "", detail: "" } };
  const text = factsText([["shares", { texts }], ["wake", {}]]);
  assert.match(text, /FEATURE_TEXTS = \{ \.\.\.shares\.texts \} as const/);
  const none = factsText([]);
  const constants = (of: string) => of.match(/export const \w+/g);
  assert.deepEqual(constants(none), constants(text));
});

Deno.test("prometheusRule has the groups of the alerts, and is up to date", async () => {
  const text = ruleText("# Alerts.\ngroups:\n  - name: a\n\n  - name: b\n");
  const [, spec] = text.split("\nspec:\n");
  assert.equal(spec, "  groups:\n    - name: a\n\n    - name: b\n");
  assert.equal(
    await prometheusRule.produce(),
    await Deno.readTextFile(new URL(prometheusRule.path, ROOT)),
  );
});

Deno.test("gen/text has a module for each text in src, and for docs/apps.md, and no other", async () => {
  const made = [appsPage, ...await textModules()].map(({ path }) => path);
  const root = new URL("gen/text/", ROOT);
  const there = (await readdir(root, { recursive: true }))
    .filter((path) => path.endsWith(".ts")).map((path) => `gen/text/${path}`);
  assert.deepEqual(there.sort(), made.sort());
});

Deno.test("textModule() exports the text as it is", async () => {
  const text = "a `b` ${c} \\ \\n é\n</script>\n";
  const source = textModule(text, "src/a.js");
  const url = `data:text/typescript,${encodeURIComponent(source)}`;
  assert.equal((await import(url)).default, text);
});

const PATHS = {
  "/a/{id}": {
    get: { operationId: "getA", summary: "Reads a */.", tags: ["two-words"] },
    post: { operationId: "changeA", summary: "Changes.", tags: ["two-words"] },
  },
  "/b": { get: { operationId: "getB", summary: "Reads.", tags: ["one"] } },
};
const TAGS = [
  { name: "one", description: "The first." },
  { name: "two-words", description: "The second." },
];

Deno.test("clientsOf() writes a class for each tag, and a method for each operation", async () => {
  const text = await formatted(clientsOf({ tags: TAGS, paths: PATHS }), "ts");
  const [, one = "", two = "", all = ""] = text.replaceAll(/\s+/g, " ")
    .split("export class ");
  const get =
    'getB<Call extends Init<"getB">>(init: Call): Answer<"getB", Call>';
  assert(one.startsWith("OneAPI {"));
  assert(
    one.includes(`/** Reads. */ ${get} { return this.#http.GET("/b", init);`),
  );
  assert(!one.includes("getA"));
  assert(two.startsWith("TwoWordsAPI {"));
  assert(two.includes("/** Reads a *\\/. */ getA<"));
  assert(two.includes('return this.#http.GET("/a/{id}", init);'));
  assert(two.includes('return this.#http.POST("/a/{id}", init);'));
  const members = "readonly one: OneAPI; readonly twoWords: TwoWordsAPI;";
  assert(all.startsWith(`DaytonaClient { ${members}`));
});

Deno.test("clientsOf() refuses an operation that cannot become a method", () => {
  const refused = [
    [{ operationId: "get-b" }, /^Error: GET \/b: operationId/],
    [{ operationId: undefined }, /^Error: GET \/b: operationId/],
    [{ summary: undefined }, /^Error: GET \/b: summary is missing/],
    [{ tags: undefined }, /^Error: GET \/b: tags must name one/],
    [{ tags: ["three"] }, /^Error: GET \/b: tags must name one/],
    [{ tags: ["one", "two-words"] }, /^Error: GET \/b: tags must name one/],
  ] as const;
  for (const [edit, message] of refused) {
    const get = { ...PATHS["/b"].get, ...edit };
    // As a file may contain it.
    const description = JSON.parse(
      JSON.stringify({ tags: TAGS, paths: { "/b": { get } } }),
    );
    assert.throws(() => clientsOf(description), message);
  }
});

Deno.test("docs/settings.md has a line for every setting, with what counts without it and what is allowed", async () => {
  const text = (await settingsPage.produce()).replaceAll(/\n {2}/g, " ");
  const names = [...text.matchAll(/^- \*\*`(\w+)`\*\* \(/gm)]
    .map(([, name]) => name);
  const groups = Map.groupBy(
    Object.entries<Setting<unknown>>(ALL_SETTINGS),
    ([, { group }]) => group,
  );
  assert.deepEqual(names, [...groups.values()].flat().map(([name]) => name));
  assert.match(
    text,
    /^- \*\*`PROXY_API_KEY`\*\* \(`DAYTONA_API_KEY` is required; /m,
  );
  assert.match(
    text,
    /^- \*\*`PROXY_PORT`\*\* \(`4000`; 0 to 65535\): The port/m,
  );
  assert.match(text, /^- \*\*`ENABLE_TLS`\*\* \(`false`\): /m);
  assert.match(text, /^- \*\*`TOKEN_TTL_SEC`\*\* \(`120`\): /m);
  assert.match(text, /^- \*\*`RECORDS_URL`\*\* \([^;]+; as `CACHE_URL`\): /m);
});

Deno.test("docs/errors.md has a section for every code, with its status, its texts and the operator's note", async () => {
  const text = await errorsPage.produce();
  const codes = [...text.matchAll(/^## `(\w+)`\n\n\*\*[^*]+\*\*\s\((\d{3})/gm)]
    .map(([, code = "", status]) => [code, Number(status)]);
  assert.deepEqual(
    codes,
    ERROR_CODES.map((code) => [code, ERRORS[code].status]),
  );
  const section = errorsText([{
    code: "port_closed",
    status: 502,
    title: "Nothing listens",
    hint: "Start the app.",
    fault: "sandbox",
    reloads: true,
    note: "See [the log](a.md).",
  }]).split("\n## ")[1];
  assert.equal(
    section,
    "`port_closed`\n\n**Nothing listens** (502, sandbox, reloads). Start the app. See [the log](a.md).\n",
  );
});

Deno.test("docs/metrics.md has a line for every metric", async () => {
  const text = await metricsPage.produce();
  const names = [...text.matchAll(/^- \*\*`(\w+)`\*\*/gm)]
    .map(([, name]) => name);
  assert.deepEqual(names, [
    ...Object.values(METRICS).map(({ name }) => name),
    "porthole_build_info",
  ]);
});

Deno.test("replaceRegion() replaces what is between the marks, and can do so again", () => {
  const page = "# A\n\n<!-- config:start -->\nold\n<!-- config:end -->\n\nB\n";
  const once = replaceRegion(page, "config", "| a |\n");
  assert.equal(
    once,
    "# A\n\n<!-- config:start -->\n\n| a |\n\n<!-- config:end -->\n\nB\n",
  );
  assert.equal(replaceRegion(once, "config", "| a |"), once);
  assert.match(replaceRegion(page, "config", "$1 $& $'"), /\n\$1 \$& \$'\n/);
});

Deno.test("replaceRegion() throws unless the region is there exactly once", () => {
  const region = "<!-- a:start -->\n<!-- a:end -->";
  const pages = [
    "",
    "<!-- a:start -->\n",
    "<!-- a:end -->",
    "<!-- a:end --><!-- a:start -->\n",
    region + region,
    region + "<!-- a:end -->",
  ];
  for (const page of pages) {
    assert.throws(() => replaceRegion(page, "a", "x"), /region 'a'/, page);
  }
});

Deno.test("formatted() formats as deno fmt does, and refuses what it cannot read", async () => {
  assert.equal(await formatted("const a   = 'b'", "ts"), 'const a = "b";\n');
  assert.equal(await formatted("* a\n", "md"), "- a\n");
  await assert.rejects(formatted("const = ;", "ts"));
});
