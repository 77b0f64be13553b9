import assert from "node:assert/strict";
import { GatewayError } from "../../../src/errors.ts";
import {
  chainsOf,
  firstAnswer,
  type NamedFeature,
} from "../../../src/gateway/chains.ts";
import type { ControlPart, Feature } from "../../../src/gateway/feature.ts";
import type { ExchangeRecord } from "../../../src/observability/access_log.ts";
import type { ExchangeObserver } from "../../../src/gateway/observer.ts";
import { previewOf } from "../../support/exchange.ts";

/** What features say to an exchange before the gate, each a text, `later` nothing, or at once nothing. */
function setUp(...answers: ("later" | "at once" | `says ${string}`)[]) {
  const asked: number[] = [];
  const features = answers.map((answer, index): Feature => ({
    answer: {
      arrived() {
        asked.push(index);
        if (answer === "at once") return undefined;
        return Promise.resolve(
          answer === "later" ? undefined : new Response(answer),
        );
      },
    },
  }));
  return { asked, features };
}

/** The first answer of features before the gate. */
function answerOf(features: readonly Feature[]) {
  const { answer } = chainsOf(
    features.map((feature, index) => [`feature ${index}`, feature]),
  );
  const x = previewOf();
  return firstAnswer(answer.arrived, (one) => one.arrived(x));
}

Deno.test("features are asked in their order until one answers", async () => {
  const { asked, features } = setUp("at once", "later", "says a", "says b");
  const answer = await answerOf([{}, ...features]);
  assert.equal(await answer?.text(), "says a");
  assert.deepEqual(asked, [0, 1, 2]);
});

Deno.test("a feature is asked once those before it have said that they have no answer", async () => {
  const { asked, features } = setUp("later", "at once", "later");
  const answering = answerOf(features);
  assert.deepEqual(asked, [0]);
  assert.equal(await answering, undefined);
  assert.deepEqual(asked, [0, 1, 2]);
});

Deno.test("where no feature could have an answer, that is known at once", () => {
  assert.equal(answerOf([]), undefined);
  assert.equal(answerOf([{}, {}]), undefined);
  const { asked, features } = setUp("at once", "at once");
  assert.equal(answerOf(features), undefined);
  assert.deepEqual(asked, [0, 1]);
});

Deno.test("a feature that fails ends the asking", async () => {
  const { asked, features } = setUp("says a");
  const failing: Feature = {
    answer: { arrived: () => Promise.reject(new TypeError("A defect")) },
  };
  await assert.rejects(answerOf([failing, ...features]) ?? assert.fail(), {
    message: "A defect",
  });
  assert.deepEqual(asked, []);
});

Deno.test("chainsOf() has what each feature has, and nothing where no feature has", () => {
  const none = chainsOf([["empty", {}]]);
  assert.equal(none.guard, undefined);
  assert.equal(none.observer, undefined);
  assert.deepEqual(none.control, {
    routes: [],
    sandboxPages: [],
    metricsPages: {},
  });
  const brand = () => undefined;
  const page = () => new Response();
  const guard = () => undefined;
  const chains = chainsOf([
    ["empty", {}],
    ["one", { control: { brand, metricsPages: { "/one": page } } }],
    ["other", { guard, control: { metricsPages: { "/other": page } } }],
  ]);
  assert.equal(chains.guard, guard);
  assert.equal(chains.control.brand, brand);
  const pages = { "/one": page, "/other": page };
  assert.deepEqual(chains.control.metricsPages, pages);
});

Deno.test("chainsOf() throws for two features with one place for both, by their names and it", () => {
  const page = () => new Response();
  const logins = {
    isOf: "a test",
  } as unknown as ControlPart["browserSessions"];
  for (
    const [feature, what] of [
      [{ control: { ownersViewOf: () => "" } }, "ownersViewOf"],
      [{ control: { brand: () => undefined } }, "brand"],
      [{ control: { browserSessions: logins } }, "browserSessions"],
      [{ control: { anyLogins: logins } }, "anyLogins"],
      [{ control: { departure: () => undefined } }, "departure"],
      [{ control: { hasHomePage: true } }, "hasHomePage"],
      [{ control: { metricsPages: { "/usage": page } } }, "/usage"],
      [{ control: { sandboxPage: { url: "/a/", text: "A" } } }, "/a/"],
      [{ answer: { ownParameter: "OUR_CODE" } }, "OUR_CODE"],
    ] as const satisfies readonly (readonly [Feature, string])[]
  ) {
    const features: NamedFeature[] = [
      ["first", feature],
      ["empty", {}],
      ["second", feature],
    ];
    const message =
      `Cannot start with the features first and second: both have ${what}, of which there can be one`;
    assert.throws(() => chainsOf(features), { message });
  }
});

Deno.test("chainsOf() guards what any feature does, and tells the failure of the first", () => {
  function guarding(...sandboxes: string[]): Feature {
    return {
      guard: ({ sandboxId }) =>
        sandboxes.includes(sandboxId)
          ? new GatewayError("port_off", sandboxes.join())
          : undefined,
    };
  }
  const { guard } = chainsOf([
    ["first", guarding("a")],
    ["second", guarding("a", "b")],
  ]);
  const served = { name: undefined, organizationId: undefined };
  for (
    const [sandboxId, message] of [["a", "a"], ["b", "a,b"]] as const
  ) {
    assert.equal(guard?.({ ...served, sandboxId })?.message, message);
  }
  assert.equal(guard?.({ ...served, sandboxId: "c" }), undefined);
});

Deno.test("chainsOf() has each observer see what it wants, and one alone without a detour", () => {
  const seen: string[] = [];
  function observing(name: string, wanted: number): ExchangeObserver {
    return {
      wants: ({ status }) => status === wanted,
      see: (sandboxId) => seen.push(`${name} ${sandboxId}`),
    };
  }
  const one = observing("one", 200);
  assert.equal(
    chainsOf([["one", { watch: { exchanges: one } }]]).observer,
    one,
  );
  const { observer } = chainsOf([
    ["one", { watch: { exchanges: one } }],
    ["two", { watch: { exchanges: observing("two", 200) } }],
    ["three", { watch: { exchanges: observing("three", 404) } }],
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

Deno.test("what features record is told to all of them", () => {
  const told: string[] = [];
  const recording = (name: string): Feature => ({
    watch: { record: ({ requestId }) => told.push(`${name} ${requestId}`) },
  });
  const { onRecord } = chainsOf([
    ["first", recording("first")],
    ["empty", {}],
    ["second", recording("second")],
  ]);
  onRecord({ requestId: "a" } as ExchangeRecord);
  assert.deepEqual(told, ["first a", "second a"]);
});
