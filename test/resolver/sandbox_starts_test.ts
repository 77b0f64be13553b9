import assert from "node:assert/strict";
import type { DurableStore } from "../../src/cache/store.ts";
import type { StartAnswer } from "../../src/daytona/api.ts";
import { GatewayError } from "../../src/errors.ts";
import { Background } from "../../src/lib/background.ts";
import {
  SandboxStarts,
  type StartIntent,
  type WantedStart,
} from "../../src/resolver/sandbox_starts.ts";
import { manualClock } from "../cache/fakes.ts";
import { sharedTierTest } from "../support/shared_tier.ts";
import { turn } from "../support/upstream.ts";

type Store = Pick<DurableStore, "claim" | "delete">;

/** A store that several gateways share. */
function sharedStore(now: () => number): Store {
  const kept = new Map<string, number>();
  return {
    claim(key, { expiresAt }) {
      const name = key.join(" ");
      if ((kept.get(name) ?? 0) > now()) return Promise.resolve("taken");
      kept.set(name, expiresAt);
      return Promise.resolve("claimed");
    },
    delete(key) {
      kept.delete(key.join(" "));
      return Promise.resolve();
    },
  };
}

/** Gateways, over one store if they have any, and an API that answers once it is told to. */
function setUp({ gateways = 1, store = "none" as "none" | "shared" | "down" }) {
  const clock = manualClock();
  clock.time = 1_800_000_000_000;
  const now = () => clock.now();
  const down: Store = {
    claim: () => Promise.resolve("unavailable"),
    delete: () => Promise.resolve(),
  };
  const stores = { none: null, shared: sharedStore(now), down };
  const calls: PromiseWithResolvers<StartAnswer>[] = [];
  const forgotten: string[] = [];
  const outcomes: string[] = [];
  const all = Array.from({ length: gateways }, () =>
    new SandboxStarts({
      startSandbox() {
        const call = Promise.withResolvers<StartAnswer>();
        calls.push(call);
        return call.promise;
      },
      recoverSandbox: () => assert.fail("not asked for"),
    }, {
      store: stores[store],
      changes: {
        announce: (id) => Promise.resolve(void forgotten.push(id)),
      },
      background: new Background(() => {}),
      perHour: 3,
      maxEntries: 1000,
      now,
      onEnd: (_, outcome) => void outcomes.push(outcome),
    }));
  /** Presses at a gateway, and answers what the API is asked then. */
  async function press(
    answer: StartAnswer | Error,
    {
      sandboxId = "box",
      payer = "alice",
      at = 0,
      intent = "press" as StartIntent,
    } = {},
  ) {
    const before = calls.length;
    const start = all[at]?.start(wanted(sandboxId, payer, intent)) ??
      assert.fail("none");
    start.catch(() => {});
    for (let i = 0; i < 50 && calls.length === before; i++) await turn();
    const call = calls[before];
    if (answer instanceof Error) call?.reject(answer);
    else call?.resolve(answer);
    return await start;
  }
  return { all, clock, calls, forgotten, outcomes, press };
}

function wanted(
  sandboxId = "box",
  payer = "alice",
  intent: StartIntent = "press",
): WantedStart {
  return {
    sandboxId,
    organizationId: "org",
    means: "start",
    credential: { kind: "own" },
    payer,
    requestId: "r1",
    intent,
    by: "login",
    subject: undefined,
  };
}

function throttled(error: unknown): boolean {
  return error instanceof GatewayError && error.code === "start_throttled" &&
    error.retryAfterSec !== undefined && error.retryAfterSec <= 3600;
}

const STARTED = { kind: "started" } as const;

for (const store of ["none", "shared", "down"] as const) {
  Deno.test(`SandboxStarts ask once for a thousand presses (store: ${store})`, async () => {
    const { all, calls, forgotten, outcomes } = setUp({ store });
    const presses = Array.from(
      { length: 1000 },
      (_, nth) => all[0]?.start(wanted("box", `visitor ${nth}`)),
    );
    for (let i = 0; i < 50 && calls.length === 0; i++) await turn();
    calls[0]?.resolve(STARTED);
    const kinds = (await Promise.all(presses)).map((answer) => answer?.kind);
    assert.equal(kinds.filter((kind) => kind === "started").length, 1);
    assert.equal(kinds.filter((kind) => kind === "under_way").length, 999);
    assert.equal(calls.length, 1);
    assert.deepEqual(forgotten, ["box"]);
    assert.deepEqual(outcomes, ["started"]);
  });
}

Deno.test("SandboxStarts of two gateways with one store ask once, and share the starts of the hour", async () => {
  const { all, calls, press, clock } = setUp({ gateways: 2, store: "shared" });
  const both = all.map((gateway) => gateway.start(wanted()));
  for (let i = 0; i < 50 && calls.length === 0; i++) await turn();
  calls[0]?.resolve(STARTED);
  const kinds = (await Promise.all(both)).map(({ kind }) => kind);
  assert.deepEqual(kinds.sort(), ["started", "under_way"]);
  assert.equal(calls.length, 1);
  await press(STARTED, { at: 0 });
  await press(STARTED, { at: 1 });
  await assert.rejects(press(STARTED, { at: 0 }), throttled);
  await assert.rejects(press(STARTED, { at: 1 }), throttled);
  assert.equal(calls.length, 3);
  clock.time += 3_600_000;
  assert.deepEqual(await press(STARTED, { at: 1 }), STARTED);
});

Deno.test("SandboxStarts limit each sandbox and each visitor in an hour, and the others may go on", async () => {
  const { press } = setUp({});
  for (const payer of ["alice", "bob", "carol"]) {
    await press(STARTED, { payer });
  }
  await assert.rejects(press(STARTED, { payer: "dave" }), throttled);
  await press(STARTED, { sandboxId: "second" });
  await press(STARTED, { sandboxId: "third" });
  await assert.rejects(press(STARTED, { sandboxId: "fourth" }), throttled);
  await press(STARTED, { sandboxId: "fourth", payer: "erin" });
});

Deno.test("SandboxStarts do not count for the sandbox what the visitor was not allowed", async () => {
  const { press } = setUp({});
  const refused = { kind: "not_allowed", reason: "Access denied" } as const;
  for (let i = 0; i < 3; i++) {
    assert.deepEqual(await press(refused, { payer: "mallory" }), refused);
  }
  await assert.rejects(press(refused, { payer: "mallory" }), throttled);
  assert.deepEqual(await press(STARTED), STARTED);
});

Deno.test("SandboxStarts pass on the API's failure, once, and let the next press ask again", async () => {
  const { press, calls, outcomes } = setUp({});
  const failure = new GatewayError("api_unreachable", "down");
  await assert.rejects(press(failure), failure);
  assert.deepEqual(await press(STARTED), STARTED);
  assert.equal(calls.length, 2);
  assert.deepEqual(outcomes, ["failed", "started"]);
});

sharedTierTest(
  "a thousand presses at two of them start a sandbox once, and both know the starts of the hour",
  async (tier) => {
    const noon = new Date().setMinutes(30, 0, 0); // in the middle of an hour
    const now = () => noon;
    let calls = 0;
    let answer = Promise.withResolvers<StartAnswer>();
    await using opened = new AsyncDisposableStack();
    const open = async () => {
      const store = await tier.open({
        now,
        onFailure: ({ message }) => assert.fail(message),
        deadlineMs: 30_000,
      });
      opened.defer(() => store.close());
      return new SandboxStarts({
        startSandbox() {
          calls++;
          return answer.promise;
        },
        recoverSandbox: () => assert.fail("not asked for"),
      }, {
        store,
        changes: { announce: () => Promise.resolve() },
        background: new Background(() => {}),
        perHour: 3,
        maxEntries: 10_000,
        now,
        onEnd() {},
      });
    };
    const gateways = [await open(), await open()];
    const presses = Array.from({ length: 1000 }, (_, nth) => {
      const start = gateways[nth % 2] ?? assert.fail("none");
      return start.start(wanted("box", `visitor ${nth}`));
    });
    // All but one resolve while the API has yet to answer.
    let resolved = 0;
    for (const press of presses) void press.then(() => resolved++);
    while (resolved < 999) await turn();
    answer.resolve(STARTED);
    const kinds = (await Promise.all(presses)).map(({ kind }) => kind);
    assert.equal(kinds.filter((kind) => kind === "started").length, 1);
    assert.equal(calls, 1);
    answer = Promise.withResolvers();
    answer.resolve(STARTED);
    for (const nth of [0, 1]) {
      await gateways[nth]?.start(wanted("box", `later ${nth}`));
    }
    for (const gateway of gateways) {
      await assert.rejects(gateway.start(wanted("box", "last")), throttled);
    }
    assert.equal(calls, 3);
  },
);
