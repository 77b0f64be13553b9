import assert from "node:assert/strict";
import { GatewayError } from "../../../src/errors.ts";
import type { Feature } from "../../../src/gateway/feature.ts";
import {
  foldHooks,
  type NamedFeature,
} from "../../../src/gateway/feature_hooks.ts";
import type { ExchangeObserver } from "../../../src/gateway/observer.ts";

Deno.test("foldHooks() has each hook of the one feature that has it, and none where no feature has", () => {
  const forbid = () => {};
  const brand = () => undefined;
  const page = () => new Response();
  const none = foldHooks([["empty", {}]]);
  assert.deepEqual(none, {
    observer: undefined,
    forbid: undefined,
    ownersViewOf: undefined,
    brand: undefined,
    browserSessions: undefined,
    anyLogins: undefined,
    metricsPages: {},
  });
  const hooks = foldHooks([
    ["empty", {}],
    ["one", { brand, metricsPages: { "/one": page } }],
    ["other", { forbid, metricsPages: { "/other": page } }],
  ]);
  assert.equal(hooks.brand, brand);
  assert.deepEqual(hooks.metricsPages, { "/one": page, "/other": page });
  assert(hooks.forbid);
});

Deno.test("foldHooks() throws for two features with one place for both, by their names and it", () => {
  const logins = { isOf: "a test" } as unknown as Feature["browserSessions"];
  for (
    const [feature, what] of [
      [{ ownersViewOf: () => "" }, "ownersViewOf"],
      [{ brand: () => undefined }, "brand"],
      [{ browserSessions: logins }, "browserSessions"],
      [{ anyLogins: logins }, "anyLogins"],
      [{ metricsPages: { "/usage": () => new Response() } }, "/usage"],
    ] as const satisfies readonly (readonly [Feature, string])[]
  ) {
    const features: NamedFeature[] = [
      ["first", feature],
      ["empty", {}],
      ["second", feature],
    ];
    const message =
      `Cannot start with the features first and second: both have ${what}, of which there can be one`;
    assert.throws(() => foldHooks(features), { message });
  }
});

Deno.test("foldHooks() forbids what any feature does, and tells the failure of the first", () => {
  function forbidding(...sandboxes: string[]): Feature {
    return {
      forbid({ sandboxId }) {
        if (!sandboxes.includes(sandboxId)) return;
        throw new GatewayError("preview_blocked", sandboxes.join());
      },
    };
  }
  const { forbid } = foldHooks([
    ["first", forbidding("a")],
    ["second", forbidding("a", "b")],
  ]);
  const served = { name: undefined, organizationId: undefined };
  for (
    const [sandboxId, message] of [["a", "a"], ["b", "a,b"]] as const
  ) {
    assert.throws(() => forbid?.({ ...served, sandboxId }), { message });
  }
  assert.doesNotThrow(() => forbid?.({ ...served, sandboxId: "c" }));
});

Deno.test("foldHooks() has each observer see what it wants, and one alone without a detour", () => {
  const seen: string[] = [];
  function observing(name: string, wanted: number): ExchangeObserver {
    return {
      wants: ({ status }) => status === wanted,
      see: (sandboxId) => seen.push(`${name} ${sandboxId}`),
    };
  }
  const one = observing("one", 200);
  assert.equal(foldHooks([["one", { observer: one }]]).observer, one);
  const { observer } = foldHooks([
    ["one", { observer: one }],
    ["two", { observer: observing("two", 200) }],
    ["three", { observer: observing("three", 404) }],
  ]);
  const wanted = [200, 404, 500].map((status) => observer?.wants({ status }));
  assert.deepEqual(wanted, [true, true, false]);
  const facts = () => assert.fail("nobody asks");
  for (const status of [200, 404]) {
    const progress = { status };
    observer?.see(`${status}`, {}, facts, progress);
  }
  assert.deepEqual(seen, ["one 200", "two 200", "three 404"]);
});
