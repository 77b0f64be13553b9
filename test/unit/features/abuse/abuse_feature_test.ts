import assert from "node:assert/strict";
import {
  abuse,
  abuseSettings,
} from "../../../../src/features/abuse/abuse_feature.ts";
import type { FeatureParts } from "../../../../src/gateway/feature_module.ts";
import { Background } from "../../../../src/lib/background.ts";
import { configOf } from "../../../support/config.ts";
import { setUpControl } from "../../../support/control.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import { MemoryValues } from "../../../support/memory_values.ts";
import { previewOf } from "../../../support/exchange.ts";
import { hostParser } from "../../../support/names.ts";
import { testSettings } from "../../../support/suites/settings.ts";
import { turn } from "../../../support/upstream.ts";

const TOKEN = "t".repeat(32);

/** The feature as the environment has it, on the first day of 2030. */
function create(env: Readonly<Record<string, string>>, more: object = {}) {
  const parts = {
    config: configOf(env),
    recordValues: { isOn: false },
    now: () => Date.UTC(2030, 0, 1),
    ...more,
  };
  return abuse.create(parts as unknown as FeatureParts);
}

const OFF = {
  isUnlisted: false,
  contacts: [],
  token: undefined,
  webhook: undefined,
};

const CONTACTS = [
  "mailto:security@example.com",
  "https://example.com/security",
];

testSettings("abuse", abuseSettings, {
  reads: [
    [{}, OFF],
    [
      { SECURITY_CONTACT: CONTACTS.join(", "), BLOCKS_TOKEN: TOKEN },
      { ...OFF, contacts: CONTACTS, token: TOKEN },
    ],
  ],
  refuses: {
    NOINDEX: ["yes"],
    SECURITY_CONTACT: [
      "security@example.com",
      "http://example.com/",
      "mailto:a b",
    ],
    BLOCKS_TOKEN: ["short", `${TOKEN} ${TOKEN}`],
    REPORT_WEBHOOK_URL: ["example.com", "ftp://example.com/"],
  },
});

Deno.test("the kit is off unless the operator sets something, and needs records for its blocks alone", () => {
  assert.equal(create({}), undefined);
  assert.equal(abuse.needsRecords?.(configOf()), false);
  assert.equal(abuse.needsRecords?.(configOf({ BLOCKS_TOKEN: TOKEN })), true);
});

Deno.test("where nothing is kept, nothing can be blocked", () => {
  assert.equal(create({ BLOCKS_TOKEN: TOKEN }), undefined);
});

Deno.test("search engines leave out previews, but not names, and the app's own word stays", () => {
  const relayed = create({ NOINDEX: "true" })?.shape?.response;
  const upstream = {
    status: 200,
    headers: [["X-Robots-Tag", "noarchive"]] as const,
    body: null,
  };
  const admission = { kind: "allow", sandboxId: "box", by: "public" } as const;
  function headersAt(name: string | undefined) {
    const x = previewOf({}, { host: name === undefined ? {} : { name } });
    return relayed?.(upstream, x, admission).headers;
  }
  assert.deepEqual(headersAt(undefined), [
    ["X-Robots-Tag", "noarchive"],
    ["X-Robots-Tag", "noindex"],
  ]);
  assert.deepEqual(headersAt("shop.test"), upstream.headers);
  const unset = create({ SECURITY_CONTACT: "tel:+123" });
  assert.equal(unset?.shape, undefined);
});

Deno.test("security.txt has the contacts, and an end less than a year away, on base hosts only", async () => {
  const feature = create({ SECURITY_CONTACT: CONTACTS.join(",") });
  const { send } = setUpControl(() =>
    feature?.control?.routes ? [feature.control.routes] : []
  );
  const path = "/.well-known/security.txt";
  const { response, status } = await send(path);
  assert.equal(status, 200);
  assert.match(
    response.headers.get("content-type") ?? "",
    /^text\/plain; ?charset=utf-8$/i,
  );
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.equal(
    await response.text(),
    "Contact: mailto:security@example.com\n" +
      "Contact: https://example.com/security\n" +
      "Expires: 2030-04-01T00:00:00.000Z\n",
  );
  assert.equal((await send(path, { base: null })).code, "route_not_found");
  const { send: sendToOthers } = setUpControl();
  assert.equal((await sendToOthers(path)).code, "route_not_found");
});

/** A gateway that starts with `box` on its list, whose store is away. */
function startWithoutStore() {
  const values = new MemoryValues();
  values.kept.set("blocks", { text: '["sandboxes/box"]', version: "1" });
  values.isAway = true;
  const feature = create({ BLOCKS_TOKEN: TOKEN }, {
    recordValues: values.gateway(),
    background: new Background((task) => assert.fail(task)),
    inFlight: { abortWhere() {} },
  }) ?? assert.fail();
  let isLoaded = false;
  feature.life?.loaded?.then(() => isLoaded = true);
  const served = {
    sandboxId: "box",
    organizationId: undefined,
    name: undefined,
  };
  return {
    values,
    feature,
    isLoaded: () => isLoaded,
    isBlocked() {
      const failure = feature.guard?.(served);
      assert.equal(failure?.code ?? "preview_blocked", "preview_blocked");
      return failure !== undefined;
    },
  };
}

Deno.test("a gateway that starts waits until the store tells what is blocked", async () => {
  using clock = fakeClock();
  const { values, feature, isLoaded, isBlocked } = startWithoutStore();
  await turn();
  clock.pass(2_000);
  await turn();
  assert.equal(isLoaded(), false);
  values.isAway = false;
  clock.pass(2_000);
  await turn();
  assert.deepEqual([isLoaded(), isBlocked()], [true, true]);
  await feature.life?.close?.();
});

Deno.test("it waits for the store no longer than 5 s, and blocks once it is there", async () => {
  using clock = fakeClock();
  const { values, feature, isLoaded, isBlocked } = startWithoutStore();
  clock.pass(5_000);
  await turn();
  assert.deepEqual([isLoaded(), isBlocked()], [true, false]);
  values.isAway = false;
  clock.pass(2_000);
  await turn();
  assert.equal(isBlocked(), true);
  await feature.life?.close?.();
});

Deno.test("the webhook gets no signed link's token, whatever the scheme, and only what keeps its URL secret sends it", async () => {
  const heard: Record<string, unknown>[] = [];
  const webhook = "https://hooks.test/?key=secret";
  const feature = create({ REPORT_WEBHOOK_URL: webhook }, {
    scheme: "https",
    parseHost: hostParser(["p.test"]),
    async secretFetch(request: Request) {
      assert.equal(request.url, webhook);
      heard.push(await request.json());
      return new Response();
    },
  });
  const { send } = setUpControl(() =>
    feature?.control?.routes ? [feature.control.routes] : []
  );
  for (
    const url of [
      "https://3000-signedlockedlink.p.test/a?b",
      "x://3000-box.p.test/p",
    ]
  ) {
    const body = new URLSearchParams({ url, reason: "Phishing" });
    const { status } = await send("/report", { method: "POST", body });
    assert.equal(status, 200);
  }
  assert.deepEqual(heard.map(({ url, sandbox }) => [url, sandbox]), [
    ["https://3000-redacted.p.test/a", undefined],
    ["https://3000-box.p.test/p", "box"],
  ]);
});
