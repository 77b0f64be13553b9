import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { openRecords } from "../../../src/records/open_records.ts";
import type { Records } from "../../../src/records/records.ts";
import { configOf } from "../../support/config.ts";
import {
  type RedisServer,
  redisTest,
  startRedis,
  startRedisCluster,
} from "../../support/redis_server.ts";
import { failureLog, manualClock } from "../cache/fakes.ts";
import { anyForm } from "../../support/record_forms.ts";

const TOKEN = anyForm("token");

/** The records of a gateway in that Redis, and how it writes one. */
function setUp({ port }: Pick<RedisServer, "port">, deadlineMs = 10_000) {
  const clock = manualClock(Date.now());
  const { onFailure } = failureLog();
  const config = configOf({ RECORDS_URL: `redis://127.0.0.1:${port}` });
  const now = () => clock.now();
  const records = openRecords(config, { now, onFailure, deadlineMs });
  return {
    clock,
    records,
    put: (id: string) =>
      records.put(TOKEN, {
        id,
        sandboxId: "sandbox",
        organizationId: "organization",
        createdAt: now(),
        expiresAt: now() + 86_400_000,
        data: null,
      }, "absent"),
    [Symbol.dispose]: () => records.close(),
  };
}

const UNAVAILABLE = { code: "records_unavailable" };

for (
  const [name, start] of [
    ["Redis", startRedis],
    ["a Redis Cluster", startRedisCluster],
  ] as const
) {
  redisTest(
    `records in ${name} are there again once it answers again`,
    async () => {
      await using server = await start();
      using world = setUp(server, 500);
      const { clock, records, put } = world;
      await untilWritten(() => put("a"), clock);
      server.suspend();
      await assert.rejects(put("b"), UNAVAILABLE);
      server.resume();
      await untilWritten(() => put("c"), clock);
      assert.equal((await records.get(TOKEN, "a"))?.record.id, "a");
    },
  );
}

/** Tries until that works: a busy machine may be late, and connections are made anew after a while. */
async function untilWritten(
  put: () => ReturnType<Records["put"]>,
  clock: { time: number },
): Promise<void> {
  let written: unknown;
  do {
    clock.time += 10_000; // the circuit breaker's pause
    written = await put().catch(() => pause(20));
    // A conflict is with itself: it was late, but it was written.
  } while (typeof written !== "object" && written !== "conflict");
}

redisTest(
  "a Redis that is not there at the start is used once it is",
  async () => {
    const { port } = await (async () => {
      await using server = await startRedis();
      return server;
    })();
    using world = setUp({ port });
    await assert.rejects(world.put("a"), UNAVAILABLE);
    await using _server = await startRedis({ port });
    await untilWritten(() => world.put("a"), world.clock);
    assert.equal((await world.records.get(TOKEN, "a"))?.record.id, "a");
  },
);

redisTest(
  "a Redis that evicts, or keeps nothing on disk, gives doubts",
  async () => {
    await Deno.mkdir("./data/test", { recursive: true });
    const dir = await Deno.makeTempDir({ dir: "./data/test" });
    await using server = await startRedis({ args: ["--dir", dir] });
    using world = setUp(server);
    const set = (name: string, value: string) =>
      server.command("CONFIG", "SET", name, value);
    const nothing = "Redis keeps nothing on disk: no AOF, no RDB";
    assert.deepEqual(await world.records.doubts(), [nothing]);
    await set("appendonly", "yes");
    assert.deepEqual(await world.records.doubts(), []);
    await set("maxmemory-policy", "allkeys-lru");
    assert.deepEqual(await world.records.doubts(), [
      "Redis may evict them (allkeys-lru)",
    ]);
    // A user who may not ask for the configuration is not told that it keeps nothing.
    await set("appendonly", "no");
    await set("maxmemory-policy", "noeviction");
    await server.command("ACL", "SETUSER", "default", "-config");
    assert.deepEqual(await world.records.doubts(), []);
    await server[Symbol.asyncDispose]();
    await Deno.remove(dir, { recursive: true });
  },
);

redisTest("a user with the least rights can keep records", async () => {
  await using server = await startRedis();
  const rights = "~porthole:* +get +set +del +eval +info +config|get".split(
    " ",
  );
  const user = ["ACL", "SETUSER", "default", "reset", "on", "nopass"];
  await server.command(...user, ...rights);
  using world = setUp(server);
  assert.equal(typeof await world.put("a"), "object");
  assert.equal(await world.records.delete(TOKEN, "a"), true);
});

redisTest("Redis forgets records that are over, and their lists", async () => {
  await using server = await startRedis();
  using world = setUp(server);
  await world.put("a");
  const keys = await server.command("KEYS", "*");
  assert(Array.isArray(keys) && keys.length === 4);
  for (const key of keys.map(String)) {
    if (key === "porthole:records:epoch") continue;
    assert.match(key, /^porthole:/);
    const ttlMs = Number(await server.command("PTTL", key));
    assert(ttlMs > 86_000_000 && ttlMs <= 86_400_000, `${key}: ${ttlMs}`);
  }
});
