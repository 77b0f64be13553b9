import assert from "node:assert/strict";
import type { DurableStore, StoredEntry } from "../../../../src/cache/store.ts";
import type { StartAnswer } from "../../../../src/daytona/api.ts";
import { GatewayError } from "../../../../src/errors.ts";
import { Background } from "../../../../src/lib/background.ts";
import {
  SandboxStarts,
  type WantedStart,
} from "../../../../src/features/wake/starts.ts";
import { manualClock } from "../../cache/fakes.ts";
import { sharedTierTest as test } from "../../../support/shared_tier.ts";
import { turn } from "../../../support/upstream.ts";

type Store = Pick<DurableStore, "claim" | "release">;

/** A store that several gateways share. */
function sharedStore(now: () => number): Store {
  const kept = new Map<string, StoredEntry>();
  return {
    claim(key, entry) {
      const name = key.join(" ");
      const { expiresAt = 0 } = kept.get(name) ?? {};
      if (expiresAt > now()) return Promise.resolve("taken");
      kept.set(name, entry);
      return Promise.resolve("claimed");
    },
    release(key, entry) {
      const name = key.join(" ");
      if (kept.get(name) === entry) kept.delete(name);
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
    release: () => Promise.resolve(),
  };
  const stores = { none: null, shared: sharedStore(now), down };
  const calls: PromiseWithResolvers<StartAnswer>[] = [];
  const recovered: string[] = [];
  function ask(): Promise<StartAnswer> {
    const call = Promise.withResolvers<StartAnswer>();
    calls.push(call);
    return call.promise;
  }
  const forgotten: string[] = [];
  const outcomes: string[] = [];
  const all = Array.from({ length: gateways }, () =>
    new SandboxStarts({
      api: {
        startSandbox: ask,
        recoverSandbox(id) {
          recovered.push(id);
          return ask();
        },
      },
      store: stores[store],
      changes: {
        announce: (id) => Promise.resolve(void forgotten.push(id)),
      },
      background: new Background(() => {}),
      perHour: 3,
      maxEntries: 1000,
      now,
      onEnd: (_, { outcome }) => void outcomes.push(outcome),
    }));
  /** Presses at a gateway, and answers what the API is asked then. */
  async function press(
    answer: StartAnswer | Error,
    { at = 0, ...differences }: Partial<WantedStart> & { at?: number } = {},
  ) {
    const before = calls.length;
    const start = all[at]?.start(wanted(differences)) ?? assert.fail("none");
    start.catch(() => {});
    for (let i = 0; i < 50 && calls.length === before; i++) await turn();
    const call = calls[before];
    if (answer instanceof Error) call?.reject(answer);
    else call?.resolve(answer);
    return await start;
  }
  return { all, clock, calls, recovered, forgotten, outcomes, press };
}

function wanted(differences: Partial<WantedStart> = {}): WantedStart {
  return {
    sandboxId: "box",
    organizationId: "org",
    means: "start",
    credential: { kind: "own" },
    quotaKey: "alice",
    requestId: "r1",
    intent: "press",
    by: "login",
    subject: undefined,
    ...differences,
  };
}

function throttled(error: unknown): boolean {
  return error instanceof GatewayError && error.code === "start_throttled" &&
    error.retryAfterSec !== undefined && error.retryAfterSec <= 3600;
}

const STARTED = { kind: "started" } as const;

Deno.test("a sandbox whose starts are used up costs nobody a start of another one", async () => {
  const { press } = setUp({});
  for (const quotaKey of ["bob", "carol", "dave"]) {
    await press(STARTED, { quotaKey });
  }
  for (let nth = 0; nth < 3; nth++) {
    await assert.rejects(press(STARTED), throttled);
  }
  assert.deepEqual(await press(STARTED, { sandboxId: "other" }), STARTED);
});

for (const store of ["none", "shared", "down"] as const) {
  Deno.test(`SandboxStarts ask once for a thousand presses (store: ${store})`, async () => {
    const { all, calls, forgotten, outcomes } = setUp({ store });
    const presses = Array.from(
      { length: 1000 },
      (_, nth) => all[0]?.start(wanted({ quotaKey: `visitor ${nth}` })),
    );
    for (let i = 0; i < 50 && calls.length === 0; i++) await turn();
    calls[0]?.resolve(STARTED);
    const kinds = (await Promise.all(presses)).map((answer) => answer?.kind);
    assert.deepEqual(new Set(kinds), new Set(["started"]));
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
  for (const quotaKey of ["alice", "bob", "carol"]) {
    await press(STARTED, { quotaKey });
  }
  await assert.rejects(press(STARTED, { quotaKey: "dave" }), throttled);
  await press(STARTED, { sandboxId: "second" });
  await press(STARTED, { sandboxId: "third" });
  await assert.rejects(press(STARTED, { sandboxId: "fourth" }), throttled);
  await press(STARTED, { sandboxId: "fourth", quotaKey: "erin" });
});

Deno.test("SandboxStarts have nobody forget a sandbox because of a press that changes nothing", async () => {
  const { press, forgotten, clock } = setUp({});
  await press({ kind: "not_allowed", reason: "Access denied" });
  for (let i = 0; i < 2; i++) await press(STARTED);
  assert.equal(forgotten.length, 2);
  for (let i = 0; i < 3; i++) {
    await assert.rejects(press(STARTED), throttled);
  }
  clock.time += 3_600_000;
  const pause = { kind: "throttled", retryAfterSec: 60 } as const;
  for (let i = 0; i < 2; i++) await assert.rejects(press(pause), throttled);
  assert.equal(forgotten.length, 2);
  await assert.rejects(
    press(new Error("no answer"), { organizationId: "other" }),
  );
  assert.equal(forgotten.length, 3);
});

Deno.test("SandboxStarts do not count for the sandbox what the visitor was not allowed", async () => {
  const { press } = setUp({});
  const refused = { kind: "not_allowed", reason: "Access denied" } as const;
  for (let i = 0; i < 3; i++) {
    assert.deepEqual(await press(refused, { quotaKey: "mallory" }), refused);
  }
  await assert.rejects(press(refused, { quotaKey: "mallory" }), throttled);
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

Deno.test("SandboxStarts do not start by a visit what was started in the last five minutes, at any gateway, and by a press they do", async () => {
  const { press, calls, clock } = setUp({ gateways: 2, store: "shared" });
  const tooSoon = { kind: "too_soon" } as const;
  assert.deepEqual(await press(STARTED, { intent: "visit" }), STARTED);
  for (const at of [0, 1]) {
    assert.deepEqual(await press(STARTED, { intent: "visit", at }), tooSoon);
  }
  assert.deepEqual(await press(STARTED, { at: 1 }), STARTED);
  clock.time += 5 * 60_000 - 1;
  assert.deepEqual(await press(STARTED, { intent: "visit" }), tooSoon);
  assert.equal(calls.length, 2);
  clock.time += 2;
  assert.deepEqual(await press(STARTED, { intent: "visit" }), STARTED);
});

Deno.test("SandboxStarts let another visit start what the first visitor was not allowed to, who is not asked about again for five minutes", async () => {
  const { press, calls, clock } = setUp({});
  const refused = { kind: "not_allowed", reason: "Access denied" } as const;
  const visit = { intent: "visit", quotaKey: "mallory" } as const;
  assert.deepEqual(await press(refused, visit), refused);
  assert.deepEqual(await press(refused, visit), { kind: "too_soon" });
  assert.deepEqual(await press(STARTED, { intent: "visit" }), STARTED);
  assert.equal(calls.length, 2);
  clock.time += 5 * 60_000 + 1;
  assert.deepEqual(await press(refused, visit), refused);
});

Deno.test("SandboxStarts let another visit start what the first visitor has no starts left for", async () => {
  const { press } = setUp({});
  for (const sandboxId of ["1", "2", "3"]) await press(STARTED, { sandboxId });
  await assert.rejects(press(STARTED, { intent: "visit" }), throttled);
  const visit = { intent: "visit", quotaKey: "bob" } as const;
  assert.deepEqual(await press(STARTED, visit), STARTED);
});

Deno.test("SandboxStarts do not ask again before the API's own limit of an organization's starts allows it", async () => {
  const { press, calls, clock, outcomes } = setUp({});
  const limit = { kind: "throttled", retryAfterSec: 20 } as const;
  await assert.rejects(press(limit), { retryAfterSec: 20 });
  clock.time += 15_000;
  await assert.rejects(press(STARTED, { sandboxId: "other" }), {
    code: "start_throttled",
    retryAfterSec: 5,
  });
  assert.equal(calls.length, 1);
  assert.deepEqual(
    await press(STARTED, { organizationId: "another", sandboxId: "third" }),
    STARTED,
  );
  clock.time += 5001;
  // Nor has that cost anything: three starts of the hour are left.
  for (let i = 0; i < 2; i++) assert.deepEqual(await press(STARTED), STARTED);
  assert.deepEqual(outcomes, [
    "throttled",
    "throttled",
    "started",
    "started",
    "started",
  ]);
});

const NOT_ALLOWED = { kind: "not_allowed", reason: "Access denied" } as const;

Deno.test("SandboxStarts tell nobody that a start is under way which its caller has no right to, or none left", async () => {
  const { all: [starts], calls, press } = setUp({});
  assert.ok(starts);
  // One after the other, what each caller was answered.
  const answers = [NOT_ALLOWED, NOT_ALLOWED, STARTED];
  const callers = ["mallory", "trudy", "alice", "bob"].map((quotaKey) =>
    starts.start(wanted({ quotaKey }))
  );
  for (const [nth, answer] of answers.entries()) {
    for (let i = 0; i < 50 && calls.length === nth; i++) await turn();
    calls[nth]?.resolve(answer);
  }
  const kinds = (await Promise.all(callers)).map(({ kind }) => kind);
  assert.deepEqual(kinds, ["not_allowed", "not_allowed", "started", "started"]);
  assert.equal(calls.length, 3);

  for (const sandboxId of ["1", "2"]) await press(STARTED, { sandboxId });
  const used = Array.from({ length: 3 }, () => starts.start(wanted()));
  const ends = await Promise.allSettled(used);
  assert.deepEqual(ends.map(({ status }) => status), Array(3).fill("rejected"));
  assert.equal(calls.length, 5);
});

Deno.test("SandboxStarts tell all who ask at once that the API wants a pause, and ask it once", async () => {
  const { all: [starts], calls } = setUp({});
  assert.ok(starts);
  const callers = ["alice", "alice", "bob"].map((quotaKey) =>
    starts.start(wanted({ quotaKey }))
  );
  const ends = Promise.allSettled(callers);
  for (let i = 0; i < 50 && calls.length === 0; i++) await turn();
  calls[0]?.resolve({ kind: "throttled", retryAfterSec: 20 });
  for (const end of await ends) {
    assert(end.status === "rejected" && throttled(end.reason));
  }
  assert.equal(calls.length, 1);
  assert.ok(!starts.isUnderWay("box"));
});

Deno.test("SandboxStarts say that a start is under way until the API has answered, and for a moment if somebody else has begun it", async () => {
  const { all: [starts], calls, press, clock } = setUp({});
  assert.ok(starts);
  const started = starts.start(wanted());
  for (let i = 0; i < 50 && calls.length === 0; i++) await turn();
  assert.ok(starts.isUnderWay("box"));
  assert.ok(!starts.isUnderWay("other"));
  calls[0]?.resolve(STARTED);
  await started;
  assert.ok(!starts.isUnderWay("box"));
  await press({ kind: "under_way" });
  assert.ok(starts.isUnderWay("box"));
  clock.time += 10_001;
  assert.ok(!starts.isUnderWay("box"));
});

Deno.test("SandboxStarts recover what is to be recovered", async () => {
  const { press, calls, recovered } = setUp({});
  assert.deepEqual(await press(STARTED, { means: "recover" }), STARTED);
  assert.equal(calls.length, 1);
  assert.deepEqual(recovered, ["box"]);
});

test("a thousand presses at two of them start a sandbox once, and both know the starts of the hour", async (tier) => {
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
      api: {
        startSandbox() {
          calls++;
          return answer.promise;
        },
        recoverSandbox: () => assert.fail("not asked for"),
      },
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
    return start.start(wanted({ quotaKey: `visitor ${nth}` }));
  });
  // Those at the other one resolve while the API has yet to answer.
  let resolved = 0;
  for (const press of presses) void press.then(() => resolved++);
  while (resolved < 500) await turn();
  answer.resolve(STARTED);
  const kinds = (await Promise.all(presses)).map(({ kind }) => kind);
  assert.equal(kinds.filter((kind) => kind === "started").length, 500);
  assert.equal(calls, 1);
  answer = Promise.withResolvers();
  answer.resolve(STARTED);
  for (const nth of [0, 1]) {
    await gateways[nth]?.start(wanted({ quotaKey: `later ${nth}` }));
  }
  for (const gateway of gateways) {
    await assert.rejects(
      gateway.start(wanted({ quotaKey: "last" })),
      throttled,
    );
  }
  assert.equal(calls, 3);
});
