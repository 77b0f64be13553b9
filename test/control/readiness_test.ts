import assert from "node:assert/strict";
import { createReadiness } from "../../src/control/readiness.ts";
import { KeyWatch } from "../../src/daytona/service_key.ts";

/** A readiness check whose world the test changes, with a clock of its own. */
function world(
  given: { askApi?: () => Promise<void> } = {},
) {
  const state = {
    now: 1_000_000,
    isApiUp: true,
    isProviderUp: true,
    isCacheUp: true,
    /** What the API says of the key; undefined: nothing. */
    key: "accepted" as "accepted" | "unknown" | undefined,
    domains: ["preview.test"],
    isDraining: false,
    keyTries: 0,
    changes: [] as (string | undefined)[][],
  };
  const serviceKey = new KeyWatch({ now: () => state.now, onChange() {} });
  function answer(isUp: boolean): Promise<void> {
    return isUp ? Promise.resolve() : Promise.reject(new Error("away"));
  }
  const readiness = createReadiness({
    askApi: given.askApi ?? (() => answer(state.isApiUp)),
    serviceKey,
    tryKey() {
      state.keyTries++;
      if (state.key !== undefined) serviceKey.record(state.key);
      return answer(state.key === "accepted");
    },
    askProvider: () => answer(state.isProviderUp),
    installation: {
      baseDomains: () => state.domains,
      oidc: () => ({
        kind: "on",
        settings: {
          issuer: "https://id.test",
          publicIssuer: undefined,
          clientId: "porthole",
          clientSecret: undefined,
          audience: undefined,
          scope: "openid",
          allowInsecure: false,
        },
      }),
    },
    cacheWorks: () => Promise.resolve(state.isCacheUp),
    isDraining: () => state.isDraining,
    onChange: (...change) => state.changes.push(change),
    now: () => state.now,
  });
  return {
    state,
    serviceKey,
    readiness,
    /** Asks twice, since all but the first question are answered in the background. */
    async later(ms: number) {
      state.now += ms;
      await readiness();
      return await readiness();
    },
  };
}

Deno.test("readiness is starting until a call with the gateway's key has succeeded, and degraded where one fails later", async () => {
  const { state, readiness, later } = world();
  state.key = "unknown";
  const { status, checks } = await readiness();
  assert.equal(status, "starting");
  assert.equal(checks.key, "failing");
  assert.equal(checks.api, "ok");
  state.key = "accepted";
  assert.equal((await later(29_000)).status, "starting");
  assert.equal((await later(5_000)).status, "ready");
  state.key = "unknown";
  const refused = await later(35_000);
  assert.equal(refused.status, "degraded");
  assert.equal(refused.checks.key, "failing");
});

Deno.test("readiness tries the key only where no other call has told of it lately, and soon again where nothing was said", async () => {
  const { state, serviceKey, readiness, later } = world();
  state.key = undefined;
  await readiness();
  assert.equal(state.keyTries, 1);
  await later(5_000);
  assert.equal(state.keyTries, 2);
  serviceKey.record("accepted");
  assert.equal((await readiness()).checks.key, "ok");
  await later(29_000);
  assert.equal(state.keyTries, 2);
  // The API is away: what it said last still stands.
  assert.equal((await later(5_000)).checks.key, "ok");
  assert.equal(state.keyTries, 3);
  // A visitor's call is refused: known at once.
  serviceKey.record("unknown");
  assert.equal((await readiness()).checks.key, "failing");
});

Deno.test("readiness tells of each transition of a check once, with the reason", async () => {
  const { state, readiness, later } = world();
  await readiness();
  assert.deepEqual(state.changes, []);
  state.isProviderUp = false;
  state.isCacheUp = false;
  await later(30_000);
  await later(30_000);
  assert.deepEqual(state.changes.splice(0), [
    ["cache", "the database does not answer"],
    ["login", "away"],
  ]);
  state.isProviderUp = true;
  state.isCacheUp = true;
  await later(30_000);
  await later(30_000);
  assert.deepEqual(state.changes.splice(0), [
    ["cache", undefined],
    ["login", undefined],
  ]);
  state.isApiUp = false;
  state.domains = [];
  await later(5_000);
  assert.deepEqual(state.changes.splice(0), [
    ["domains", "the API has not told them yet"],
    ["api", "away"],
  ]);
});

Deno.test("whoever asks while the very first question is under way waits for its answer", async () => {
  const held = Promise.withResolvers<void>();
  const { readiness, state } = world({ askApi: () => held.promise });
  const both = Promise.all([readiness(), readiness()]);
  held.resolve();
  const statuses = (await both).map(({ status }) => status);
  assert.deepEqual(statuses, ["ready", "ready"]);
  assert.deepEqual(state.changes, []);
});

Deno.test("readiness is starting until the API was seen, the domains are known and the key was accepted", async () => {
  for (const missing of ["api", "domains", "key"] as const) {
    const { state, readiness, later } = world();
    if (missing === "api") state.isApiUp = false;
    if (missing === "domains") state.domains = [];
    if (missing === "key") state.key = "unknown";
    assert.equal((await readiness()).status, "starting", missing);
    Object.assign(state, {
      isApiUp: true,
      domains: ["preview.test"],
      key: "accepted",
    });
    assert.equal((await later(35_000)).status, "ready", missing);
    state.isApiUp = false;
    assert.equal((await later(5_000)).status, "degraded", missing);
    state.isDraining = true;
    assert.equal((await readiness()).status, "draining", missing);
  }
});

Deno.test("readiness says why the key is not known where the API does not say", async () => {
  const { state, readiness } = world();
  state.key = undefined;
  await readiness();
  const [, reason] = state.changes.find(([check]) => check === "key") ?? [];
  assert.equal(reason, "away");
});
