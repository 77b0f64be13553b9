/** The shared state of several gateways with one database, on a clock that the test sets. */
import assert from "node:assert/strict";
import { LoginSessions } from "../../src/auth/login_sessions.ts";
import type { Tokens } from "../../src/auth/oidc/provider.ts";
import type { LoginSession } from "../../src/auth/session.ts";
import type { StoreFailure } from "../../src/cache/store.ts";
import type { Runner } from "../../src/daytona/api.ts";
import { Background } from "../../src/lib/background.ts";
import { createSealer } from "../../src/lib/seal.ts";
import type { Destination } from "../../src/resolver/destination.ts";
import { UNMETERED } from "../../src/resolver/lookup_cache.ts";
import { SandboxResolver } from "../../src/resolver/own/sandboxes.ts";
import { configOf } from "../support/config.ts";
import { destinationOn, NO_UPSTREAM } from "../support/destination.ts";
import {
  type SharedTier,
  sharedTierTest as test,
} from "../support/shared_tier.ts";
import { BARE_RECORD } from "../support/sandbox_facts.ts";

/** The age, ms, after which a local copy of shared state is read again. */
const RECHECK_MS = 5_000;

/** The stateful components of one gateway, with an API and a provider under the test's control. */
async function remember(tier: SharedTier, world: World) {
  const { now } = world;
  const { cache } = configOf();
  const failures: StoreFailure[] = [];
  const store = await tier.open({
    now,
    onFailure: (failure) => failures.push(failure),
    // So long that the database is not late on a busy machine.
    deadlineMs: 10_000,
  });
  const background = new Background(() => {});
  function sealerFor(purpose: string) {
    return createSealer({ secrets: ["s".repeat(32)], purpose, now });
  }
  const sandboxes = new SandboxResolver({
    isSandboxPublic: () => Promise.resolve(true),
    runnerOfSandbox: () => Promise.resolve(world.runnerOf()),
    recordOf: () => Promise.resolve(BARE_RECORD),
  }, {
    cache,
    store,
    background,
    now,
    onEvent() {},
    sealer: sealerFor("runner"),
    appOrigin: "auto",
    upstream: NO_UPSTREAM,
    onPrivate() {},
  });
  const logins = new LoginSessions({
    access: {
      hasAccess: (_, { bearer }) => Promise.resolve(world.isGood(bearer)),
    },
    provider: { state: "on", refresh: (token) => world.refresh(token) },
    store,
    sealer: sealerFor("login-session"),
    background,
    closing: new AbortController().signal,
    cache: { maxEntries: 10 },
    onEvent() {},
    now,
  });
  return {
    destination: () => sandboxes.destinationOf("demo", 3000, () => {}),
    renewed: () => sandboxes.renewDestination("demo", 3000),
    logins,
    grantsAccess: (session: LoginSession) =>
      logins.grantsAccess(session, "127.0.0.1", UNMETERED),
    failures,
    settled: () => background.settled(),
    async [Symbol.asyncDispose]() {
      await background.settled();
      store.close();
    },
  };
}

/** The clock, the API and the provider that all gateways share. */
interface World {
  time: number;
  now(): number;
  runner: Runner;
  /** The number of API calls for the runner. */
  questions: number;
  runnerOf(): Runner;
  good: string;
  isGood(accessToken: string): boolean;
  /** The refresh tokens that have been used. */
  readonly refreshes: string[];
  refresh(token: string): Promise<Tokens>;
}

function runnerNamed(name: string): Runner {
  return { proxyUrl: `http://${name}`, apiUrl: null, apiKey: "key" };
}

function destinationAt(name: string): Destination {
  return destinationOn(runnerNamed(name), "demo");
}

function createWorld(): World {
  const world: World = {
    time: Date.now(),
    now: () => world.time,
    runner: runnerNamed("first"),
    questions: 0,
    runnerOf() {
      world.questions++;
      return world.runner;
    },
    good: "first",
    isGood: (accessToken) => accessToken === world.good,
    refreshes: [],
    refresh(token) {
      world.refreshes.push(token);
      world.good = "second";
      return Promise.resolve({
        accessToken: "second",
        expiresAt: world.time + 3_600_000,
        refreshToken: "refresh-2",
      });
    },
  };
  return world;
}

/** A session of one hour with an access token of five minutes. */
function loginAt(time: number): { session: LoginSession; tokens: Tokens } {
  return {
    session: {
      kind: "login",
      id: crypto.randomUUID(),
      sandboxId: "demo",
      expiresAt: time + 3_600_000,
    },
    tokens: {
      accessToken: "first",
      expiresAt: time + 300_000,
      refreshToken: "refresh-1",
    },
  };
}

test("a sandbox that moved is found by the others within the bound, without a question", async (tier) => {
  const world = createWorld();
  await using first = await remember(tier, world);
  await using second = await remember(tier, world);
  assert.deepEqual(await first.destination(), destinationAt("first"));
  await first.settled();
  assert.deepEqual(await second.destination(), destinationAt("first"));
  assert.equal(world.questions, 1);

  world.runner = runnerNamed("second");
  assert.deepEqual(await first.renewed(), destinationAt("second"));
  await first.settled();
  assert.equal(world.questions, 2);
  world.time += RECHECK_MS;
  assert.deepEqual(await second.destination(), destinationAt("second"));
  assert.equal(world.questions, 2);
  assert.deepEqual([...first.failures, ...second.failures], []);
});

test("a login that one gateway renewed is not renewed by the others", async (tier) => {
  const world = createWorld();
  await using first = await remember(tier, world);
  await using second = await remember(tier, world);
  const { session, tokens } = loginAt(world.time);
  await first.logins.begin(session, tokens);
  assert(await second.grantsAccess(session));
  world.time += 290_000;
  assert(await first.grantsAccess(session));
  await first.settled();
  assert(await second.grantsAccess(session));
  await second.settled();
  assert.deepEqual(world.refreshes, ["refresh-1"]);
  assert.equal(world.good, "second");
});

test("a logout counts at the other gateways within the bound", async (tier) => {
  const world = createWorld();
  await using first = await remember(tier, world);
  await using second = await remember(tier, world);
  const { session, tokens } = loginAt(world.time);
  await first.logins.begin(session, tokens);
  assert(await second.grantsAccess(session));
  await first.logins.end(session);
  world.time += RECHECK_MS;
  assert(!await second.grantsAccess(session));
});

test("a logout is not undone by a gateway that renews the login", async (tier) => {
  const world = createWorld();
  await using first = await remember(tier, world);
  await using second = await remember(tier, world);
  const { session, tokens } = loginAt(world.time);
  await first.logins.begin(session, tokens);
  world.time += 269_000;
  assert(await first.grantsAccess(session));
  await second.logins.end(session);
  // The first gateway's copy is still fresh, but its access token is due for renewal.
  world.time += 2_000;
  await first.grantsAccess(session);
  await first.settled();
  assert(!await first.grantsAccess(session));
  assert.deepEqual(world.refreshes, []);
  world.time += RECHECK_MS;
  assert(!await first.grantsAccess(session));
  assert(!await second.grantsAccess(session));
});

test("a refresh token that another gateway has just used is not used again", async (tier) => {
  const world = createWorld();
  world.isGood = () => true; // an access token is good until it expires
  await using first = await remember(tier, world);
  await using second = await remember(tier, world);
  const { session, tokens } = loginAt(world.time);
  await first.logins.begin(session, tokens);
  world.time += 269_000;
  assert(await first.grantsAccess(session));
  assert(await second.grantsAccess(session));
  world.time += 2_000;
  assert(await first.grantsAccess(session));
  await first.settled();
  assert(await second.grantsAccess(session));
  await second.settled();
  assert.deepEqual(world.refreshes, ["refresh-1"]);
});

test("a database that is there again is used again", async (tier) => {
  const clock = { time: Date.now() };
  const failures: StoreFailure[] = [];
  async function open() {
    return await tier.open({
      now: () => clock.time,
      onFailure: (failure) => failures.push(failure),
      deadlineMs: 250,
    });
  }
  const [first, second] = [await open(), await open()];
  try {
    const key = ["kind", "part"] as const;
    const times = {
      refreshAt: clock.time + 3_600_000,
      expiresAt: clock.time + 3_600_000,
      staleUntil: clock.time + 3_600_000,
    };
    for (const store of [first, second]) {
      assert.equal(await store.get(key), "absent");
    }
    await tier.stop();
    for (const store of [first, second]) {
      const lookups = [1, 2, 3].map(() => store.get(key));
      assert.deepEqual(
        await Promise.all(lookups),
        lookups.map(() => "unavailable"),
      );
    }
    assert(failures.length > 0);
    await tier.restart();
    const found = { value: "found", ...times };
    let seen: unknown;
    // After a pause, one operation at a time retries, according to this clock.
    for (let i = 0; i < 20 && seen !== "found"; i++) {
      clock.time += RECHECK_MS;
      await first.set(key, found);
      const lookup = await second.get(key);
      seen = typeof lookup === "string" ? lookup : lookup.value;
    }
    assert.equal(seen, "found");
  } finally {
    first.close();
    second.close();
  }
});
