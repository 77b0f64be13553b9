/** Redis behind Sentinels, and as a Cluster: found, followed after a failover, and shared like a single server. */
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { openDurableStore } from "../../../../src/cache/open_store.ts";
import { openRedis } from "../../../../src/cache/redis/open_redis.ts";
import type { DurableStore, StoreKey } from "../../../../src/cache/store.ts";
import type { RedisLocation } from "../../../../src/config/cache_location.ts";
import { assertEventually } from "../../../support/assert_eventually.ts";
import { freePort } from "../../../support/free_port.ts";
import {
  redisAt,
  redisTest,
  startRedis,
  startRedisCluster,
} from "../../../support/redis_server.ts";
import {
  type RedisTopology,
  startCluster,
  startSentinels,
} from "../../../support/redis_topologies.ts";
import { failureLog, manualClock } from "../fakes.ts";
import { entryAt, fulfilsContract } from "../store_contract.ts";

/** Opens a store, and closes it at the end of the scope. */
async function open(location: RedisLocation, deadlineMs = 10_000) {
  const clock = manualClock(Date.now());
  const { failures, onFailure } = failureLog();
  const store = await openDurableStore(location, {
    platformShared: false,
    now: () => clock.now(),
    onFailure,
    deadlineMs,
  });
  assert(store);
  return { clock, store, failures, [Symbol.dispose]: () => store.close() };
}

const KEYS = Array.from(
  { length: 60 },
  (_, i): StoreKey => ["sandbox-access", `digest-${i}`],
);

/** The keys whose entries are there. */
async function present(store: DurableStore): Promise<StoreKey[]> {
  const found = await Promise.all(KEYS.map((key) => store.get(key)));
  return KEYS.filter((_, i) => typeof found[i] === "object");
}

async function writeAll({ store, clock }: Awaited<ReturnType<typeof open>>) {
  const entry = entryAt(clock.time, "kept");
  await Promise.all(KEYS.map((key) => store.set(key, entry)));
}

/** Opens what is at a location, and closes it. */
async function tryOut(location: RedisLocation): Promise<void> {
  const closing = new AbortController();
  const client = await openRedis(location, closing.signal);
  closing.abort();
  await client.ended;
}

/** Waits until there are all entries again after a failover, and others can be written; returns how many there are. */
async function entriesAfter(
  breakDown: (topology: RedisTopology) => unknown,
  topology: RedisTopology,
): Promise<number> {
  using gateway = await open(topology.location, 500);
  const { store, clock } = gateway;
  const began = clock.time;
  /** Ends the circuit breaker's pause, and lets the servers work. */
  async function pass(): Promise<void> {
    clock.time = clock.time === began ? began + 5_000 : began;
    await pause(20);
  }
  await writeAll(gateway);
  for (const [i, primary] of topology.primaries.entries()) {
    const size = await primary.command("DBSIZE");
    await assertEventually(
      async () => await topology.replicas[i]?.command("DBSIZE") === size,
      "its replica has it all",
    );
  }
  await breakDown(topology);
  await assertEventually(async () => {
    await pass();
    return (await present(store)).length === KEYS.length;
  }, "everything is there again");
  const entry = entryAt(clock.time, "again");
  await assertEventually(async () => {
    await pass();
    const claims = await Promise.all(
      KEYS.map(([kind, id = ""]) => store.claim([kind, `${id}-new`], entry)),
    );
    return !claims.includes("unavailable");
  }, "everything can be written");
  return (await present(store)).length;
}

redisTest(
  "a store on a Cluster fulfils the contract of every store",
  async (t) => {
    await using cluster = await startCluster();
    using gateway = await open(cluster.location);
    await fulfilsContract(t, gateway);
    assert.deepEqual(gateway.failures, []);
  },
);

redisTest(
  "a Cluster is recognised by any of its nodes, and used as a whole",
  async () => {
    await using cluster = await startCluster();
    const [{ port } = { port: 0 }] = cluster.replicas.slice(1);
    using gateway = await open(redisAt(port));
    await writeAll(gateway);
    assert.deepEqual(await present(gateway.store), KEYS);
    for (const primary of cluster.primaries) {
      assert(Number(await primary.command("DBSIZE")) > 0);
    }
    assert.equal(gateway.store.watch, null); // nobody tells of changes
    assert.deepEqual(gateway.failures, []);
  },
);

redisTest("gateways on a Cluster hear each other's announcements", async () => {
  await using cluster = await startCluster();
  using one = await open(cluster.location);
  using other = await open(cluster.location);
  const heard = new Set<string>();
  other.store.listen((message) => heard.add(message));
  await assertEventually(async () => {
    await one.store.announce("hello");
    return heard.has("hello");
  }, "it was heard");
});

redisTest(
  "a primary of a Cluster that dies is replaced, and nothing is lost",
  async () => {
    await using cluster = await startCluster();
    const kill = ({ primaries }: RedisTopology) =>
      primaries[0]?.[Symbol.asyncDispose]();
    assert.equal(await entriesAfter(kill, cluster), KEYS.length);
  },
);

redisTest(
  "a primary of a Cluster that hangs is replaced, and nothing is lost",
  async () => {
    await using cluster = await startCluster();
    const hang = ({ primaries }: RedisTopology) => primaries[1]?.suspend();
    assert.equal(await entriesAfter(hang, cluster), KEYS.length);
  },
);

redisTest(
  "whoever uses a Cluster hears that it may have lost something: a connection, or a primary that was replaced",
  async () => {
    await using cluster = await startCluster();
    using gateway = await open(cluster.location);
    let returns = 0;
    gateway.store.onReturn?.(() => void returns++);
    await writeAll(gateway);
    for (
      const command of [["CLIENT", "KILL", "TYPE", "normal"], [
        "CLUSTER",
        "FAILOVER",
      ]]
    ) {
      const before = returns;
      const [server] = command[0] === "CLIENT"
        ? cluster.primaries
        : cluster.replicas;
      await server?.command(...command);
      await assertEventually(async () => {
        await present(gateway.store);
        return returns > before;
      }, `it has heard of ${command.join(" ")}`);
    }
  },
);

redisTest(
  "a store by Sentinels fulfils the contract of every store",
  async (t) => {
    await using sentinels = await startSentinels();
    using gateway = await open(sentinels.location);
    await fulfilsContract(t, gateway);
    await assertEventually(
      () => gateway.store.watch !== null,
      "the primary tells of changes",
    );
    assert.deepEqual(gateway.failures, []);
  },
);

for (
  const [name, breakDown] of [
    [
      "dies",
      ({ primaries }: RedisTopology) => primaries[0]?.[Symbol.asyncDispose](),
    ],
    ["hangs", ({ primaries }: RedisTopology) => primaries[0]?.suspend()],
    [
      "dies with a Sentinel",
      async ({ primaries, sentinels }: RedisTopology) => {
        await sentinels[0]?.[Symbol.asyncDispose]();
        await primaries[0]?.[Symbol.asyncDispose]();
      },
    ],
  ] as const
) {
  redisTest(
    `once a primary ${name}, the one that Sentinels name is used`,
    async () => {
      await using sentinels = await startSentinels();
      assert.equal(await entriesAfter(breakDown, sentinels), KEYS.length);
    },
  );
}

redisTest(
  "openRedis() says what is wrong with a Sentinel, a replica, or the primary's name",
  async () => {
    await using topology = await startSentinels();
    const { location, sentinels, replicas } = topology;
    const [sentinel] = sentinels;
    const [replica] = replicas;
    assert(sentinel && replica);
    await assert.rejects(tryOut(redisAt(sentinel.port)), {
      message: /This is a Sentinel: use redis\+sentinel:/,
    });
    await assert.rejects(tryOut(redisAt(replica.port)), {
      message: /This is a replica/,
    });
    await assert.rejects(
      tryOut({ ...location, primary: "other" }),
      ({ cause }) => /knows no primary "other"/.test(String(cause)),
    );
    await tryOut(location);
  },
);

redisTest(
  "a Sentinel that has a password is told that of the servers",
  async () => {
    await using topology = await startSentinels();
    const { location, sentinels, primaries } = topology;
    for (const server of [...sentinels, ...primaries]) {
      await server.command(
        ...["ACL", "SETUSER", "default", "resetpass", ">s3cret"],
      );
    }
    await tryOut({ ...location, password: "s3cret" });
    await assert.rejects(tryOut(location));
  },
);

Deno.test("openRedis() rejects if nothing answers, by whatever way", async () => {
  for (const topology of ["primary", "cluster", "sentinel"] as const) {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    listener.close();
    await assert.rejects(tryOut(redisAt(port, { topology, primary: "main" })));
  }
});

redisTest(
  "a Cluster is used over TLS, by an authority of its own",
  async () => {
    const port = freePort();
    const files = "test/support/tls";
    await using _server = await startRedisCluster([
      ...["--tls-port", String(port), "--tls-auth-clients", "no"],
      ...["--tls-cert-file", await Deno.realPath(`${files}/cert.pem`)],
      ...["--tls-key-file", await Deno.realPath(`${files}/key.pem`)],
      ...["--tls-ca-cert-file", await Deno.realPath(`${files}/ca.pem`)],
    ]);
    const location = redisAt(port, { tls: true, caFile: `${files}/ca.pem` });
    using gateway = await open(location);
    await writeAll(gateway);
    assert.deepEqual(await present(gateway.store), KEYS);
    assert.deepEqual(gateway.failures, []);
    await assert.rejects(tryOut({ ...location, caFile: undefined }));
  },
);

redisTest("a server that is no Cluster is refused as one", async () => {
  await using server = await startRedis();
  await assert.rejects(
    tryOut(redisAt(server.port, { topology: "cluster" })),
    /No node of the Cluster answers/,
  );
});
