import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import {
  openRedisClient,
  type RedisClientOptions,
} from "../../../../src/cache/redis/redis_client.ts";
import { RedisConnection } from "../../../../src/cache/redis/redis_connection.ts";
import { openRedisStore } from "../../../../src/cache/redis/redis_store.ts";
import type { StoreKey } from "../../../../src/cache/store.ts";
import { sleep } from "../../../../src/lib/backoff.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import {
  redisAt,
  redisTest,
  startRedis,
} from "../../../support/redis_server.ts";
import { failureLog, manualClock } from "../fakes.ts";
import { entryAt, fulfilsContract } from "../store_contract.ts";

const ID = "0b9d4b1c-6d1f-4d2e-9a9b-3f4b0f7f2a10";
const PUBLIC: StoreKey = ["sandbox-public", ID];
const PUBLIC_NAME = `proxy:sandbox-public:${ID}`;
const RUNNER: StoreKey = ["sandbox-runner-info", ID];
const OWN: StoreKey = ["sandbox-access", "digest"];
const OWN_NAME = "porthole:sandbox-access:digest";

/** Opens a store on the server at `port`; it does not pause between attempts to connect. */
async function open(
  port: number,
  { username, password, deadlineMs = 10_000, ...client }:
    & Partial<RedisClientOptions>
    & { username?: string; password?: string; deadlineMs?: number } = {},
) {
  const clock = manualClock(Date.now());
  const log = failureLog();
  const connection = new RedisConnection({
    server: `127.0.0.1:${port}`,
    open: (signal) =>
      openRedisClient(redisAt(port, { username, password }), {
        signal,
        ...client,
      }),
    now: () => clock.now(),
    sleep: (_ms, signal) => sleep(0, signal),
  });
  const store = await openRedisStore(connection, {
    now: () => clock.now(),
    onFailure: log.onFailure,
    deadlineMs,
  });
  return {
    clock,
    store,
    failures: log.failures,
    entry: (value: Parameters<typeof entryAt>[1]) => entryAt(clock.time, value),
    /** Resolves once there is a connection again; a server must be running. */
    async connected(): Promise<void> {
      while (true) {
        try {
          return await connection.connected();
        } catch {
          // The next attempt has begun.
        }
      }
    },
    [Symbol.dispose]: () => store.close(),
  };
}

/** The text of a failure's cause. */
function causeOf({ cause }: { cause: unknown } = { cause: undefined }): string {
  return Deno.inspect(cause);
}

Deno.test("openRedisStore() works without a server, and reports that once", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  using setup = await open(port);
  const { store, failures } = setup;
  assert.equal(store.shared, true);
  for (let i = 0; i < 5; i++) {
    assert.equal(await store.get(PUBLIC), "unavailable");
    await store.set(PUBLIC, setup.entry(true));
    await store.delete(PUBLIC);
  }
  assert.deepEqual(
    failures.map(({ store, reason }) => [store, reason]),
    [["redis", "error"]],
  );
  assert.match(causeOf(failures[0]), /Not connected to Redis at 127\.0\.0\.1:/);
  assert.match(causeOf(failures[0]), /ECONNREFUSED/);
});

Deno.test("openRedisStore() waits one deadline for a server that sends nothing", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = listener.accept();
  using setup = await open(listener.addr.port, { deadlineMs: 1 });
  using _conn = await accepted;
  const reasons = () => setup.failures.map(({ reason }) => reason);
  assert.deepEqual(reasons(), ["timeout"]);
  const claim = await setup.store.claim(OWN, setup.entry(true));
  assert.equal(claim, "unavailable");
  assert.deepEqual(reasons(), ["timeout", "error"]); // not connected yet
});

redisTest(
  "a Redis store writes an entry only if it is present, if so asked",
  async () => {
    await using server = await startRedis();
    using setup = await open(server.port);
    const { store } = setup;
    await store.set(PUBLIC, setup.entry(true), { ifPresent: true });
    assert.equal(await store.get(PUBLIC), "absent");
    await store.set(PUBLIC, setup.entry(false));
    await store.set(PUBLIC, setup.entry(true), { ifPresent: true });
    assert.deepEqual(await store.get(PUBLIC), setup.entry(true));
  },
);

redisTest(
  "Redis keeps an entry that is not confirmed yet as long as a confirmed one",
  async () => {
    await using server = await startRedis();
    using setup = await open(server.port);
    const { store, clock } = setup;
    await store.set(PUBLIC, {
      ...setup.entry(true),
      expiresAt: clock.time + 1_500,
      refreshAt: clock.time,
      unconfirmed: { since: clock.time, keptUntil: clock.time + 120_000 },
    });
    const leftSec = Number(await server.command("TTL", PUBLIC_NAME));
    assert(60 < leftSec && leftSec <= 120, String(leftSec));
  },
);

redisTest("a Redis store fulfils the contract of every store", async (t) => {
  await using server = await startRedis();
  using setup = await open(server.port);
  await fulfilsContract(t, setup);
  assert.deepEqual(await server.command("KEYS", "*"), []);
  assert.deepEqual(setup.failures, []);
});

redisTest(
  "Redis expires Daytona's kinds at expiresAt, and others at staleUntil",
  async () => {
    await using server = await startRedis();
    using setup = await open(server.port);
    const { store, entry } = setup;
    await store.set(PUBLIC, entry(true));
    await store.set(OWN, entry(true));
    for (const [name, ttlMs] of [[PUBLIC_NAME, 120_000], [OWN_NAME, 720_000]]) {
      const leftMs = Number(await server.command("PTTL", String(name)));
      assert(leftMs <= Number(ttlMs) && leftMs > Number(ttlMs) - 30_000);
    }
  },
);

redisTest(
  "set() of null deletes the entry for Daytona's kinds, whose programs do not understand null",
  async () => {
    await using server = await startRedis();
    using setup = await open(server.port);
    const { store, entry } = setup;
    await store.set(RUNNER, entry({ apiKey: "k" }));
    await store.set(RUNNER, entry(null));
    assert.equal(await store.get(RUNNER), "absent");
    await store.set(OWN, entry(null));
    assert.deepEqual(await store.get(OWN), entry(null));
  },
);

redisTest(
  "get() derives the times of Daytona's entries from PTTL, to be renewed at once",
  async () => {
    await using server = await startRedis();
    using setup = await open(server.port);
    const { store, clock } = setup;
    const value = { apiKey: "k", apiUrl: "http://runner" };
    const name = `proxy:sandbox-runner-info:${ID}`;
    const written = JSON.stringify({ value });
    for (const expiry of [["EX", "60"], ["EX", "3600"], []]) {
      await server.command("SET", name, written, ...expiry);
      const found = await store.get(RUNNER);
      assert(typeof found === "object");
      assert.deepEqual(found.value, value);
      assert.equal(found.refreshAt, clock.time);
      assert.equal(found.staleUntil, found.expiresAt);
      const leftMs = found.expiresAt - clock.time;
      const most = expiry[1] === "60" ? 60_000 : 120_000;
      assert(leftMs <= most && leftMs > most - 30_000);
    }
  },
);

redisTest(
  "get() is unavailable for a value in a foreign format, and reports no failure",
  async () => {
    await using server = await startRedis();
    using setup = await open(server.port);
    const { store, entry, failures } = setup;
    const texts = [
      "",
      "true",
      "{",
      "null",
      "[]",
      '{"value":',
      "\xff\xfe",
      "\0",
    ];
    for (const text of texts) {
      await server.command("SET", PUBLIC_NAME, text);
      assert.equal(await store.get(PUBLIC), "unavailable", text);
    }
    // Without times, under a name that only gateways use.
    await server.command("SET", OWN_NAME, '{"value":true}');
    assert.equal(await store.get(OWN), "unavailable");
    await server.command("DEL", PUBLIC_NAME);
    await server.command("HSET", PUBLIC_NAME, "value", "true");
    for (let i = 0; i < 4; i++) {
      assert.equal(await store.get(PUBLIC), "unavailable");
    }
    await store.set(PUBLIC, entry(true));
    assert.deepEqual(await store.get(PUBLIC), entry(true));
    assert.deepEqual(failures, []);
  },
);

redisTest(
  "a store is unavailable while its server is down, and works again once it is back",
  async () => {
    const gone = await startRedis();
    const { port } = gone;
    using setup = await open(port);
    const { store, clock, entry, failures } = setup;
    await store.set(OWN, entry("before"));
    await gone[Symbol.asyncDispose]();
    for (let i = 0; i < 5; i++) {
      assert.equal(await store.get(OWN), "unavailable");
    }
    await store.set(OWN, entry("lost"));
    assert.deepEqual(failures.map(({ reason }) => reason), ["error"]);

    await using _back = await startRedis({ port });
    await setup.connected();
    clock.time += 5_000; // the circuit breaker's pause is over
    assert.equal(await store.get(OWN), "absent");
    await store.set(OWN, entry("after"));
    assert.deepEqual(await store.get(OWN), entry("after"));
  },
);

redisTest(
  "a server that hangs costs a few deadlines, then is skipped, then connected to again",
  async () => {
    const deadlineMs = 150;
    await using server = await startRedis();
    using setup = await open(server.port, { deadlineMs });
    const { store, clock, failures } = setup;
    const before = setup.entry("before");
    await store.set(OWN, before);
    server.suspend();
    let deadlines = 0;
    {
      using timers = fakeClock();
      for (let i = 0; i < 100; i++) {
        let isWaiting = true;
        const found = store.get(OWN).finally(() => isWaiting = false);
        await turn();
        if (isWaiting) {
          deadlines++;
          timers.pass(deadlineMs);
        }
        assert.equal(await found, "unavailable");
      }
    }
    assert.equal(deadlines, 3);
    assert.deepEqual(failures.map(({ reason }) => reason), ["timeout"]);

    clock.time += 5_000;
    assert.equal(await store.get(OWN), "unavailable"); // closes the connection
    server.resume();
    await setup.connected();
    clock.time += 5_000;
    assert.deepEqual(await store.get(OWN), before);
  },
);

redisTest(
  "a wrong password is reported once, without the password",
  async () => {
    await using server = await startRedis({
      args: ["--requirepass", "s3cret"],
    });
    using setup = await open(server.port, { password: "wr0ng" });
    const { store, failures } = setup;
    for (let i = 0; i < 5; i++) {
      assert.equal(await store.get(OWN), "unavailable");
    }
    assert.equal(failures.length, 1);
    assert.match(
      causeOf(failures[0]),
      /Not connected to Redis at 127\.0\.0\.1:/,
    );
    assert.match(
      causeOf(failures[0]),
      /WRONGPASS invalid username-password pair/,
    );
    assert.doesNotMatch(causeOf(failures[0]), /wr0ng/);
  },
);

redisTest(
  "close() ends the connection and operations in flight",
  async () => {
    await using server = await startRedis();
    using setup = await open(server.port);
    const { store, failures } = setup;
    server.suspend();
    const underWay = store.get(OWN);
    store.close();
    store.close();
    assert.equal(await underWay, "unavailable");
    assert.equal(await store.get(OWN), "unavailable");
    assert.deepEqual(failures, []);
    server.resume();
  },
);

redisTest(
  "a Redis store knows for ten minutes that the API uses it, once it has seen a key of the API's own",
  async () => {
    const rights = "~proxy:* ~porthole:* +get +client|tracking".split(" ");
    await using server = await startRedis({
      args: ["--user", "gateway", "on", ">s3cret", ...rights],
    });
    using setup = await open(server.port);
    const { store, clock, failures } = setup;
    const answer = `preview:public:${ID}`;
    assert.equal(await store.tellsChanges?.(PUBLIC), false);
    await server.command("SET", answer, "1");
    assert.equal(await store.tellsChanges?.(OWN), false);
    assert.equal(await store.tellsChanges?.(PUBLIC), true);
    await server.command("DEL", answer);
    clock.time += 599_999;
    assert.equal(await store.tellsChanges?.(PUBLIC), true);
    clock.time += 1;
    assert.equal(await store.tellsChanges?.(PUBLIC), false);

    // Whoever may not look does not know.
    await server.command("SET", answer, "1");
    const user = { username: "gateway", password: "s3cret" };
    using limited = await open(server.port, user);
    assert.equal(await limited.store.tellsChanges?.(PUBLIC), false);
    assert.deepEqual([...failures, ...limited.failures], []);
  },
);

redisTest(
  "a Redis store adds up what several processes count, for as long as is asked",
  async () => {
    await using server = await startRedis();
    using first = await open(server.port);
    using second = await open(server.port);
    const counter = (name: string, count: number) => (
      { key: ["refusals", "7", name] as const, count }
    );
    const both = [counter("a", 2), counter("b", 1)];
    assert.deepEqual(await first.store.addUp?.(both, 60_000), [2, 1]);
    const again = [counter("b", 3)];
    assert.deepEqual(await second.store.addUp?.(again, 60_000), [4]);
    assert.deepEqual(await first.store.addUp?.([], 60_000), []);
    const ttlMs = Number(await server.command("PTTL", "porthole:refusals:7:b"));
    assert(50_000 < ttlMs && ttlMs <= 60_000, String(ttlMs));
    assert.deepEqual([...first.failures, ...second.failures], []);
  },
);

redisTest(
  "what a Redis user has no right to do is told of once, and everything else works",
  async () => {
    const rights = "~porthole:* +get +set +del +pttl +client|tracking".split(
      " ",
    );
    await using server = await startRedis({
      args: ["--user", "gateway", "on", ">s3cret", ...rights],
    });
    const user = { username: "gateway", password: "s3cret" };
    using setup = await open(server.port, user);
    const { store, failures } = setup;
    for (let i = 0; i < 5; i++) {
      const counts = [{ key: ["refusals", "a"] as const, count: 1 }];
      assert.equal(await store.addUp?.(counts, 60_000), undefined);
    }
    assert.equal(await store.get(OWN), "absent");
    assert.equal(failures.length, 1);
    assert.match(failures[0]?.message ?? "", /\+incrby \+pexpire/);
    const entry = entryAt(Date.now(), "one");
    assert.equal(await store.claim(OWN, entry), "claimed");
    for (let i = 0; i < 5; i++) await store.release(OWN, entry);
    assert.equal(await store.claim(OWN, entry), "taken");
    assert.equal(failures.length, 2);
    assert.match(failures[1]?.message ?? "", /\+eval/);
  },
);
