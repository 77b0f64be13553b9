/** What one process announces to all others that share its durable tier. */
import assert from "node:assert/strict";
import { connectionTo } from "../../../src/cache/redis/open_redis.ts";
import { openRedisStore } from "../../../src/cache/redis/redis_store.ts";
import type { DurableStore, StoreFailure } from "../../../src/cache/store.ts";
import { assertEventually } from "../../support/assert_eventually.ts";
import { redisAt, redisTest, startRedis } from "../../support/redis_server.ts";
import { type SharedTier, sharedTierTest } from "../../support/shared_tier.ts";

/** A store whose announcements are collected. */
async function openListener(tier: SharedTier) {
  const store = await tier.open({
    now: Date.now,
    onFailure() {},
    deadlineMs: 5000,
  });
  const heard: string[] = [];
  store.listen((message) => heard.push(message));
  return { store, heard, [Symbol.dispose]: () => store.close() };
}

/** Announces until somebody has heard it: whoever has just connected may not be listening yet. */
async function announceUntilHeard(
  store: DurableStore,
  message: string,
  heard: readonly string[],
): Promise<void> {
  await assertEventually(async () => {
    if (heard.includes(message)) return true;
    await store.announce(message);
    return false;
  }, `"${message}" is heard`);
}

sharedTierTest(
  "what one announces, all hear, in order, and each message that is announced twice is heard twice",
  async (tier) => {
    using first = await openListener(tier);
    using second = await openListener(tier);
    await announceUntilHeard(first.store, "ready?", second.heard);
    await announceUntilHeard(second.store, "ready!", first.heard);
    for (const message of ["a", "b", "b"]) await first.store.announce(message);
    await announceUntilHeard(first.store, "end", second.heard);
    const isNews = (message: string) => /^[ab]$/.test(message);
    assert.deepEqual(second.heard.filter(isNews), ["a", "b", "b"]);
  },
);

sharedTierTest(
  "whoever listens in a process hears what is announced",
  async (tier) => {
    using first = await openListener(tier);
    const also: string[] = [];
    first.store.listen((message) => also.push(message));
    await announceUntilHeard(first.store, "hello", also);
    assert(first.heard.includes("hello"));
  },
);

sharedTierTest(
  "announcements are heard again after the database was away",
  async (tier) => {
    using first = await openListener(tier);
    using second = await openListener(tier);
    await announceUntilHeard(first.store, "before", second.heard);
    await tier.stop();
    await tier.restart();
    await announceUntilHeard(first.store, "after", second.heard);
  },
);

redisTest(
  "a Redis user without the right to announce is told of once, and everything else works",
  async () => {
    const rights = "~porthole:* +get +set +del +pttl +client|tracking"
      .split(" ");
    await using server = await startRedis({
      args: ["--user", "gateway", "on", ">s3cret", ...rights],
    });
    const user = { username: "gateway", password: "s3cret" };
    const failures: StoreFailure[] = [];
    const connection = connectionTo(redisAt(server.port, user));
    const store = await openRedisStore(connection, {
      now: Date.now,
      onFailure: (failure) => failures.push(failure),
      deadlineMs: 5000,
    });
    store.listen(() => assert.fail("heard something"));
    for (let i = 0; i < 5; i++) await store.announce("x");
    assert.equal(await store.get(["kind", "key"]), "absent");
    assert.equal(failures.length, 1);
    assert.match(failures[0]?.message ?? "", /\+publish \+subscribe/);
    store.close();
  },
);
