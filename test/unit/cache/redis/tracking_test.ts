/** Redis tells gateways what has changed (CLIENT TRACKING), so that they need not read it again and again. */
import assert from "node:assert/strict";
import { LoginSessionStore } from "../../../../src/auth/login_session_store.ts";
import { Cache } from "../../../../src/cache/cache.ts";
import { openRedisClient } from "../../../../src/cache/redis/redis_client.ts";
import { RedisConnection } from "../../../../src/cache/redis/redis_connection.ts";
import { openRedisStore } from "../../../../src/cache/redis/redis_store.ts";
import { sleep } from "../../../../src/lib/backoff.ts";
import { Background } from "../../../../src/lib/background.ts";
import { createSealer } from "../../../../src/lib/seal.ts";
import { booleanCodec } from "../../../../src/resolver/codecs.ts";
import {
  LookupCache,
  UNMETERED,
} from "../../../../src/resolver/lookup_cache.ts";
import { assertEventually } from "../../../support/assert_eventually.ts";
import { configOf } from "../../../support/config.ts";
import {
  redisAt,
  type RedisServer,
  redisTest,
  startRedis,
} from "../../../support/redis_server.ts";
import { failureLog, manualClock } from "../fakes.ts";

/** Time for which gateways use an entry. */
const SECONDS = 130;

const KEY = "digest";
const NAME = `porthole:sandbox-access:${KEY}`;

/** Times in which copies are re-read: without being told of changes, and in any case, ms. */
const RECHECK_MS = 5_000;
const WATCHED_MS = 60_000;

/** A gateway's cache of texts, whose source tells `answer.text`. */
async function openGateway(
  { port }: RedisServer,
  user: { username: string; password: string } | undefined = undefined,
) {
  const clock = manualClock(Date.now());
  const now = () => clock.now();
  const log = failureLog();
  const connection = new RedisConnection({
    server: `127.0.0.1:${port}`,
    open: (signal) => openRedisClient(redisAt(port, user), { signal }),
    now,
    sleep: (_ms, signal) => sleep(0, signal),
  });
  const store = await openRedisStore(connection, {
    now,
    onFailure: log.onFailure,
    deadlineMs: 10_000,
  });
  const background = new Background(() => {});
  const answer = { text: "first", asked: 0, ttlMs: 3_600_000 };
  let decoding = Promise.resolve();
  function cacheOf(kind: string): Cache<string> {
    return new Cache<string>({
      kind,
      maxEntries: 100,
      durable: {
        store,
        codec: {
          encode: (text) => text,
          async decode(json) {
            await decoding;
            return String(json);
          },
        },
      },
      now,
      onEvent() {},
      background,
    });
  }
  const cache = cacheOf("sandbox-access");
  async function get(key = KEY, from = cache): Promise<string> {
    const text = await from.get(key, () => {
      answer.asked++;
      return Promise.resolve({ value: answer.text, ttlMs: answer.ttlMs });
    });
    await background.settled();
    return text;
  }
  return {
    clock,
    store,
    answer,
    get,
    cache,
    cacheOf,
    background,
    failures: log.failures,
    /** Has values that are read from now on decoded once that is fulfilled. */
    decodeAfter: (gate: Promise<void>) => decoding = gate,
    /** Resolves when all that the server had pushed before has arrived. */
    heard: () => store.get(["sync", "sync"]),
    [Symbol.dispose]: () => store.close(),
  };
}

/** Reads an entry as often as makes it watched: once it was only written by ourselves. */
async function watched(gateway: Awaited<ReturnType<typeof openGateway>>) {
  await assertEventually(() => gateway.store.watch !== null, "it is tracked");
  await gateway.get();
  gateway.clock.time += RECHECK_MS;
  await gateway.get();
}

/** The number of commands of a kind so far. */
async function count(server: RedisServer, command: string): Promise<number> {
  const stats = String(await server.command("INFO", "commandstats"));
  const calls = new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1];
  return Number(calls ?? 0);
}

/** Changes the entry as another program does, whatever its times. */
async function overwrite(server: RedisServer, text: string): Promise<void> {
  const now = Date.now();
  const [refreshAt, expiresAt] = [now + 2_700_000, now + 3_600_000];
  const entry = { value: text, refreshAt, expiresAt, staleUntil: expiresAt };
  await server.command("SET", NAME, JSON.stringify(entry));
}

redisTest(
  "what another client writes or deletes is seen at once",
  async () => {
    await using server = await startRedis();
    using gateway = await openGateway(server);
    await watched(gateway);
    await overwrite(server, "second");
    await gateway.heard();
    assert.equal(await gateway.get(), "second");
    assert.equal(gateway.answer.asked, 1);
    await server.command("DEL", NAME);
    await gateway.heard();
    gateway.answer.text = "third";
    assert.equal(await gateway.get(), "third");
    assert.equal(gateway.answer.asked, 2);
    assert.deepEqual(gateway.failures, []);
  },
);

redisTest(
  "an entry that does not change is read again after a minute, as long as the server is heard",
  async () => {
    await using server = await startRedis();
    using gateway = await openGateway(server);
    await watched(gateway);
    const before = await count(server, "get");
    for (let ms = 0; ms < WATCHED_MS - RECHECK_MS; ms += RECHECK_MS) {
      gateway.clock.time += RECHECK_MS;
      await gateway.heard();
      await gateway.get();
    }
    assert.equal(await count(server, "get") - before, 11); // ours alone
    gateway.clock.time += RECHECK_MS;
    await gateway.heard();
    await gateway.get();
    assert.equal(await count(server, "get") - before, 13);

    // Nothing was heard for longer than a change may go unseen: the connection could be a dead one.
    gateway.clock.time += RECHECK_MS + 1;
    await gateway.get();
    assert.equal(await count(server, "get") - before, 14);
    assert.equal(gateway.answer.asked, 1);
  },
);

redisTest("what a gateway writes itself is not pushed to it", async () => {
  await using server = await startRedis();
  using gateway = await openGateway(server);
  await watched(gateway);
  await gateway.cache.set(KEY, { value: "own", ttlMs: 3_600_000 });
  await gateway.heard();
  const before = await count(server, "get");
  assert.equal(await gateway.get(), "own");
  assert.equal(await count(server, "get"), before);
  // Its tracking has ended with that, unseen: it is read again by time, and watched from then on.
  await overwrite(server, "second");
  await gateway.heard();
  assert.equal(await gateway.get(), "own");
  gateway.clock.time += RECHECK_MS;
  assert.equal(await gateway.get(), "second");
  await overwrite(server, "third");
  await gateway.heard();
  assert.equal(await gateway.get(), "third");
  assert.equal(gateway.answer.asked, 1);
});

redisTest("a change that overtakes the use of a read is not lost", async () => {
  await using server = await startRedis();
  using gateway = await openGateway(server);
  await watched(gateway);
  gateway.clock.time += WATCHED_MS;
  const gate = Promise.withResolvers<void>();
  gateway.decodeAfter(gate.promise);
  const reading = gateway.get();
  await gateway.heard(); // and what was read before that
  await overwrite(server, "second");
  await gateway.heard();
  gate.resolve();
  assert.equal(await reading, "second");
  assert.equal(await gateway.get(), "second");
  assert.equal(gateway.answer.asked, 1);
});

redisTest(
  "after FLUSHALL, everything is read again within 5 s",
  async () => {
    await using server = await startRedis();
    using gateway = await openGateway(server);
    await watched(gateway);
    gateway.answer.text = "second";
    await server.command("FLUSHALL");
    await gateway.heard();
    gateway.clock.time += RECHECK_MS + 1;
    await gateway.heard();
    assert.equal(await gateway.get(), "second");
    assert.equal(gateway.answer.asked, 2);
    await watched(gateway);
    await overwrite(server, "third");
    await gateway.heard();
    assert.equal(await gateway.get(), "third");
  },
);

redisTest(
  "what changed while the connection was lost is seen within 5 s, and the next one is tracked",
  async () => {
    await using server = await startRedis();
    using gateway = await openGateway(server);
    await watched(gateway);
    const { watch } = gateway.store;
    await server.command("CLIENT", "KILL", "TYPE", "normal");
    await overwrite(server, "second");
    await assertEventually(
      () => (gateway.store.watch ?? watch) !== watch,
      "the next connection is tracked",
    );
    await gateway.heard();
    gateway.clock.time += RECHECK_MS + 1;
    await gateway.heard();
    assert.equal(await gateway.get(), "second");
    await overwrite(server, "third");
    await gateway.heard();
    assert.equal(await gateway.get(), "third");
    assert.equal(gateway.answer.asked, 1);
  },
);

redisTest(
  "where the server does not track, entries are read again every 5 s, and the log says so once",
  async () => {
    const rights = "~porthole:* +get +set +del +pttl".split(" ");
    await using server = await startRedis({
      args: ["--user", "gateway", "on", ">s3cret", ...rights],
    });
    const user = { username: "gateway", password: "s3cret" };
    using gateway = await openGateway(server, user);
    await gateway.get();
    await overwrite(server, "second");
    await gateway.heard();
    assert.equal(await gateway.get(), "first");
    gateway.clock.time += RECHECK_MS;
    assert.equal(await gateway.get(), "second");
    await overwrite(server, "third");
    await gateway.heard();
    gateway.clock.time += RECHECK_MS;
    assert.equal(await gateway.get(), "third");
    assert.equal(gateway.store.watch, null);

    await server.command("CLIENT", "KILL", "TYPE", "normal");
    await assertEventually(() => {
      gateway.clock.time += RECHECK_MS; // the circuit breaker's pause is over
      return gateway.heard().then((found) => found === "absent");
    }, "there is a connection again");
    const told = gateway.failures
      .filter(({ message }) => message.includes("+client|tracking"));
    assert.equal(told.length, 1);

    // From now on, it may.
    await server.command("ACL", "SETUSER", "gateway", "+client|tracking");
    await server.command("CLIENT", "KILL", "TYPE", "normal");
    await watched(gateway);
    await overwrite(server, "fourth");
    await gateway.heard();
    assert.equal(await gateway.get(), "fourth");
  },
);

redisTest(
  "an entry of Daytona's that expires may be served stale, and one that is deleted may not",
  async () => {
    await using server = await startRedis();
    using gateway = await openGateway(server);
    const { clock } = gateway;
    const places = gateway.cacheOf("sandbox-runner-info");
    let isDown = false;
    function get(key: string): Promise<string> {
      return places.get(
        key,
        () =>
          isDown
            ? Promise.reject(new Error("the API is down"))
            : Promise.resolve({
              value: key,
              ttlMs: 120_000,
              staleIfErrorMs: 600_000,
            }),
      );
    }
    await assertEventually(() => gateway.store.watch !== null, "it is tracked");
    for (const key of ["deleted", "expired"]) await get(key);
    await gateway.heard();
    clock.time += RECHECK_MS;
    for (const key of ["deleted", "expired"]) await get(key);
    isDown = true;
    await server.command("DEL", "proxy:sandbox-runner-info:deleted");
    await gateway.heard();
    await assert.rejects(get("deleted"), /the API is down/);
    // The clock of Redis may be ahead.
    clock.time += 114_900;
    await server.command("PEXPIRE", "proxy:sandbox-runner-info:expired", "0");
    await gateway.heard();
    assert.equal(await get("expired"), "expired");
    clock.time += RECHECK_MS;
    assert.equal(await get("expired"), "expired");
    clock.time += RECHECK_MS;
    assert.equal(await get("expired"), "expired");
  },
);

redisTest(
  "gateways that use an entry all the time do not drive each other to write it",
  async () => {
    await using server = await startRedis();
    using one = await openGateway(server);
    using other = await openGateway(server);
    const gateways = [one, other].map((gateway) => ({
      ...gateway,
      answers: new LookupCache("sandbox-public", booleanCodec, {
        cache: configOf().cache,
        store: gateway.store,
        now: () => gateway.clock.now(),
        onEvent() {},
        background: gateway.background,
      }),
    }));
    let asked = 0;
    function ask(): Promise<boolean> {
      asked++;
      return Promise.resolve(true);
    }
    const before = await count(server, "set");
    for (let fifths = 0; fifths < 5 * SECONDS; fifths++) {
      for (const { answers, clock, heard, background } of gateways) {
        clock.time += 200;
        await answers.lookUp("id", ask, UNMETERED);
        await background.settled();
        await heard();
      }
    }
    const written = await count(server, "set") - before;
    assert(written < SECONDS, `written ${written} times`);
    assert(asked < 2 * SECONDS, `asked ${asked} times`);
  },
);

redisTest(
  "a logout at one gateway is one at the others at once, and stays one if Redis loses it",
  async () => {
    await using server = await startRedis();
    using one = await openGateway(server);
    using other = await openGateway(server);
    const [here, there] = [one, other].map(({ store, clock }) => {
      const now = () => clock.now();
      return new LoginSessionStore({
        cache: { maxEntries: 10 },
        background: one.background,
        closing: new AbortController().signal,
        store,
        sealer: createSealer({ secrets: ["s"], purpose: "login-session", now }),
        now,
        onEvent() {},
      });
    });
    assert(here && there);
    await assertEventually(() => other.store.watch !== null, "it is tracked");
    const session = { id: "a:b", expiresAt: Date.now() + 3_600_000 };
    const open = { state: "open", accessToken: "a", expiresAt: undefined };
    await here.set(session, { ...open, state: "open" });
    assert.equal((await there.get(session.id))?.state, "open");
    await here.set(session, { state: "ended" });
    await server.command("DEL", "porthole:login-session:a%3Ab");
    await other.heard();
    assert.equal((await there.get(session.id))?.state, "ended");
  },
);

redisTest(
  "FLUSHALL ends no login, and neither does a deletion",
  async () => {
    await using server = await startRedis();
    using gateway = await openGateway(server);
    const { store, clock, background, heard } = gateway;
    const now = () => clock.now();
    const logins = new LoginSessionStore({
      cache: { maxEntries: 10 },
      background,
      closing: new AbortController().signal,
      store,
      sealer: createSealer({ secrets: ["s"], purpose: "login-session", now }),
      now,
      onEvent() {},
    });
    await assertEventually(() => store.watch !== null, "it is tracked");
    const session = { id: "a", expiresAt: Date.now() + 3_600_000 };
    const tokens = { accessToken: "a", expiresAt: undefined };
    await logins.set(session, { ...tokens, state: "open" });
    const isStored = () => server.command("EXISTS", "porthole:login-session:a");
    for (const command of [["FLUSHALL"], ["DEL", "porthole:login-session:a"]]) {
      clock.time += RECHECK_MS;
      assert.equal((await logins.get("a"))?.state, "open"); // and is read, thus tracked
      await server.command(...command);
      await heard();
      await background.settled();
      assert.equal((await logins.get("a"))?.state, "open");
      assert.equal(await isStored(), 1);
    }
  },
);
