import assert from "node:assert/strict";
import { openKv, openKvStore } from "../../../src/cache/kv.ts";
import { Locks, type LocksOptions } from "../../../src/cache/locks.ts";
import { connectionTo } from "../../../src/cache/redis/open_redis.ts";
import { openRedisStore } from "../../../src/cache/redis/redis_store.ts";
import type { DurableStore, StoreOptions } from "../../../src/cache/store.ts";
import { redisAt, redisTest, startRedis } from "../../support/redis_server.ts";
import { fakeStore } from "./fakes.ts";

/** Two processes, and a store that they share unless it is null. */
function setUp(store: LocksOptions["store"], start = 1000) {
  const clock = { now: start };
  const options = { store, maxEntries: 10, now: () => clock.now };
  const [one, other] = [
    new Locks("test", options),
    new Locks("test", options),
  ];
  return { clock, one, other };
}

Deno.test("a lock is whoever's came first at any process, until it is given back", async () => {
  const { one, other } = setUp(fakeStore().store);
  assert(await one.claim("a", 100));
  assert(!await one.claim("a", 100));
  assert(!await other.claim("a", 100));
  assert(await other.claim("b", 100));
  await one.release("a");
  assert(await other.claim("a", 100));
});

Deno.test("who gives back what has lapsed leaves it to whoever has it by then", async () => {
  const { store, entries } = fakeStore();
  const { clock, one, other } = setUp(store);
  assert(await one.claim("a", 100));
  clock.now += 101;
  entries.clear(); // its time is over
  assert(await other.claim("a", 100));
  await one.release("a");
  assert(!await one.claim("a", 100));
  await other.release("a");
  assert(await one.claim("a", 100));
});

/** Has one process lose what it holds, by an answer that is lost and by a store that forgets early, and give it back. */
async function keepsOthersLocks(store: DurableStore): Promise<void> {
  const isDeaf = { one: false };
  const { one, other } = setUp({
    async claim(key, entry) {
      const claim = await store.claim(key, entry);
      return isDeaf.one ? "unavailable" : claim;
    },
    release: (key, entry) => store.release(key, entry),
  }, Date.now());
  assert(await other.claim("a", 60_000));
  isDeaf.one = true;
  assert(await one.claim("a", 60_000), "nobody told that it is taken");
  isDeaf.one = false;
  await one.release("a");
  assert(!await one.claim("a", 60_000), "it was the other's");
  await other.release("a");
  assert(await one.claim("a", 60_000));
  await store.delete(["test", "a"]);
  assert(await other.claim("a", 60_000));
  await one.release("a");
  assert(!await one.claim("a", 60_000), "it is the other's by now");
  await other.release("a");
  assert(await one.claim("a", 60_000));
}

const OPTIONS: StoreOptions = {
  now: Date.now,
  onFailure: ({ cause }) => assert.fail(String(cause)),
  deadlineMs: 20_000, // for a busy machine
};

for (const shared of [false, true]) {
  const which = shared ? "a shared Deno KV" : "Deno KV";
  Deno.test(`in ${which}, nobody gives back what somebody else has`, async () => {
    const open = () => openKv(":memory:");
    const store = await openKvStore({ open, shared, ...OPTIONS });
    await keepsOthersLocks(store);
    store.close();
  });
}

redisTest("in Redis, nobody gives back what somebody else has", async () => {
  await using server = await startRedis();
  const connection = connectionTo(redisAt(server.port));
  const store = await openRedisStore(connection, OPTIONS);
  await keepsOthersLocks(store);
  store.close();
});

Deno.test("without a store, and while one does not tell, each process decides, for as long as it claims", async () => {
  const down = fakeStore();
  down.broken = true;
  for (const store of [null, down.store]) {
    const { clock, one, other } = setUp(store);
    assert(await one.claim("a", 100));
    assert(await other.claim("a", 100));
    clock.now += 99;
    assert(!await one.claim("a", 100));
    clock.now += 2;
    assert(await one.claim("a", 100));
  }
});

Deno.test("what is kept in a process is claimed there only", async () => {
  const { one, other } = setUp(fakeStore().store);
  one.keep("a", 100);
  assert(one.has("a") && !other.has("a"));
  assert(!await one.claim("a", 100));
  assert(await other.claim("a", 100));
});
