import assert from "node:assert/strict";
import { KnownNames } from "../../../../src/address/known_names.ts";
import { sectionOf } from "../../../../src/config/section.ts";
import {
  names as namesFeature,
  namesSettings,
} from "../../../../src/features/names/names_feature.ts";
import { SharedNames } from "../../../../src/features/names/shared_names.ts";
import type { FeatureParts } from "../../../../src/gateway/feature_module.ts";
import { Background } from "../../../../src/lib/background.ts";
import { Metrics } from "../../../../src/observability/metrics/metrics.ts";
import { backgroundWork } from "../../../support/background_work.ts";
import { collectLog } from "../../../support/collected_log.ts";
import { configOf, problemsOf } from "../../../support/config.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import { MemoryValues } from "../../../support/memory_values.ts";
import { textFile } from "../../../support/text_file.ts";
import { nameOf } from "./name_of.ts";

const BASE = "preview.example.com";
const SHOP = `shop.${BASE}`;

/** The text of a file in which that host is the name of that port. */
function fileOf(port: number, host = SHOP): string {
  return JSON.stringify({ [host]: { sandbox: "box", port } });
}

/** The feature, what it has the gateway know, and the hosts that it has told to have moved. */
function setUp(
  env: Readonly<Record<string, string>>,
  values?: MemoryValues,
) {
  const names = new KnownNames();
  const moved: string[] = [];
  const parts = {
    config: configOf({ PROXY_DOMAIN: BASE, ...env }),
    inFlight: {
      moveNames: (hosts: ReadonlySet<string>) => moved.push(...hosts),
    },
    recordValues: values?.gateway() ?? { isOn: false },
    remoteSettings: { baseDomains: [BASE] },
    background: new Background(() => {}),
    metrics: new Metrics("0.0.0"),
    now: Date.now,
  };
  const feature = namesFeature.create(parts as unknown as FeatureParts);
  names.use(feature?.resolve ? [feature.resolve] : []);
  return {
    feature,
    names,
    moved,
    [Symbol.dispose]: () => feature?.life?.close?.(),
  };
}

Deno.test("names are off unless the operator or members give them, and their settings go together", async () => {
  await using file = await textFile(fileOf(3000));
  const none = sectionOf(configOf(), namesSettings);
  assert.equal(none.mode, "off");
  const path = { NAMES_FILE: file.path };
  for (
    const [env, problems] of [
      [{ NAMES: "operator", ...path }, []],
      [{ NAMES: "members", ...path }, []],
      [{ NAMES: "members" }, []],
      [path, ["NAMES_FILE"]],
      [{ NAMES: "operator" }, ["NAMES_FILE"]],
      [{ NAMES: "operator", NAMES_FILE: "data/none.json" }, ["NAMES_FILE"]],
      [{ NAMES: "true" }, ["NAMES"]],
      [{ NAMES_DOMAIN: "names.example.com:8443" }, ["NAMES_DOMAIN"]],
      [{ NAMES_DOMAIN: ".example.com" }, ["NAMES_DOMAIN"]],
      // An app there could set cookies for the previews below.
      [{ PROXY_DOMAIN: BASE, NAMES_DOMAIN: "example.com" }, ["NAMES_DOMAIN"]],
      [{
        PROXY_DOMAIN: `p.example.net, ${BASE}:8443`,
        NAMES_DOMAIN: "example.com",
        ...path,
      }, ["NAMES_FILE", "NAMES_DOMAIN"]],
      [{ PROXY_DOMAIN: BASE, NAMES_DOMAIN: `a.${BASE}` }, []],
      [{ PROXY_DOMAIN: BASE, NAMES_DOMAIN: "w.example.com" }, []],
    ] as const
  ) assert.deepEqual(problemsOf(env), problems, JSON.stringify(env));
});

Deno.test("members' names are below the first base domain, unless another domain is for them", () => {
  const env = { PROXY_DOMAIN: `${BASE}:8443, other.example.com` };
  const { domain, bases } = sectionOf(configOf(env), namesSettings);
  assert.deepEqual([domain, bases], [BASE, [BASE, "other.example.com"]]);
  const set = configOf({ ...env, NAMES_DOMAIN: "names.example.com" });
  assert.equal(sectionOf(set, namesSettings).domain, "names.example.com");
  assert.equal(sectionOf(configOf(), namesSettings).domain, undefined);
});

Deno.test("a changed file is in force within 5 s, and one that is no good changes nothing", async () => {
  using clock = fakeClock();
  await using file = await textFile(fileOf(3000));
  await using log = await collectLog();
  using world = setUp({ NAMES: "operator", NAMES_FILE: file.path });
  const { names, moved } = world;
  assert.equal(names.find(SHOP)?.port, 3000);
  for (const text of ["[", fileOf(2280), fileOf(3000, `3000-box.${BASE}`)]) {
    await file.write(text);
    clock.pass(5000);
    assert.equal(names.find(SHOP)?.port, 3000, text);
  }
  assert.deepEqual(moved, []);
  await file.write(fileOf(8000));
  clock.pass(5000);
  assert.equal(names.find(SHOP)?.port, 8000);
  assert.deepEqual(moved, [SHOP]);
  await file.write("{}");
  clock.pass(5000);
  assert.equal(names.find(SHOP), undefined);
  assert.deepEqual(moved, [SHOP, SHOP]);
  const refused = "names refused, old kept";
  assert.deepEqual(log.records().map(({ message }) => message), [
    "names read",
    refused,
    refused,
    refused,
    "names read",
    "names read",
  ]);
});

Deno.test("where nothing is kept members give no names, and the operator's file does", async () => {
  await using file = await textFile(fileOf(3000));
  using members = setUp({ NAMES: "members" });
  assert.equal(members.feature, undefined);
  using both = setUp({ NAMES: "members", NAMES_FILE: file.path });
  assert.equal(both.names.find(SHOP)?.port, 3000);
  assert.equal(both.feature?.control?.routes, undefined);
});

Deno.test("the start waits for members' names, and what another gateway changes is in force within 5 s", async () => {
  using clock = fakeClock();
  using work = backgroundWork();
  const values = new MemoryValues();
  const other = new SharedNames({
    values: values.gateway(),
    now: Date.now,
    onChange() {},
  });
  function hold(port: number) {
    const holder = nameOf(SHOP, { port });
    return other.change(SHOP, () => ({ holder, claims: [] }));
  }
  await hold(3000);
  using world = setUp({ NAMES: "members" }, values);
  const { feature, names, moved } = world;
  assert.equal(names.find(SHOP), undefined);
  await feature?.life?.loaded;
  assert.equal(names.find(SHOP)?.port, 3000);
  await hold(8000);
  clock.pass(5000);
  await work.settled();
  assert.equal(names.find(SHOP)?.port, 8000);
  assert.deepEqual(moved, [SHOP]);
  assert(feature?.control?.routes);
});

Deno.test("a gateway starts without the store after 5 s, says so, and knows members' names once it is there", async () => {
  using clock = fakeClock();
  using work = backgroundWork();
  await using log = await collectLog();
  const values = new MemoryValues();
  values.isAway = true;
  using world = setUp({ NAMES: "members" }, values);
  let hasStarted = false;
  const starting = world.feature?.life?.loaded?.then(() => hasStarted = true);
  clock.pass(4999);
  await work.settled();
  assert.equal(hasStarted, false);
  clock.pass(1);
  await starting;
  const messages = log.records().map(({ message }) => message);
  assert.deepEqual(messages, [
    "names not loaded: they lead nowhere until the store answers",
  ]);
  values.isAway = false;
  const other = new SharedNames({
    values: values.gateway(),
    now: Date.now,
    onChange() {},
  });
  const entry = { holder: nameOf(SHOP), claims: [] };
  await other.change(SHOP, () => entry);
  clock.pass(2000);
  await work.settled();
  assert.equal(world.names.find(SHOP)?.port, 3000);
});

Deno.test("whoever gets certificates is told which names are in force", async () => {
  await using file = await textFile(fileOf(3000));
  using world = setUp({ NAMES: "operator", NAMES_FILE: file.path });
  const ask = world.feature?.control?.metricsPages?.["/tls/ask"] ??
    assert.fail();
  function statusOf(domain: string): number {
    const url = `http://127.0.0.1:9090/tls/ask?domain=${domain}`;
    return ask(new Request(url)).status;
  }
  assert.equal(statusOf(SHOP), 200);
  assert.equal(statusOf(`other.${BASE}`), 403);
});
