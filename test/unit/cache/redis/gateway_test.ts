/** The whole gateway with Redis as its durable tier. */
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import { assertEventually } from "../../../support/assert_eventually.ts";
import { startGateway } from "../../../support/gateway.ts";
import { redisTest, startRedis } from "../../../support/redis_server.ts";
import {
  startCluster,
  startSentinels,
} from "../../../support/redis_topologies.ts";
import { skewClock } from "../../../support/skewed_clock.ts";

const LOCKED = "3000-locked.proxy.localhost";
const REQUEST = {
  path: "/status/204",
  headers: { "x-daytona-preview-token": KEYS.lockedToken },
};

redisTest(
  "a gateway works without its Redis, and /ready reports the loss",
  async () => {
    await using server = await startRedis();
    await using gateway = await startGateway({
      CACHE_URL: `redis://127.0.0.1:${server.port}`,
    });
    async function cacheCheck(): Promise<unknown> {
      const answer = await gateway.send("127.0.0.1", { path: "/ready" });
      return answer.json().checks;
    }
    assert.equal((await gateway.send(LOCKED, REQUEST)).status, 204);
    assert.match(JSON.stringify(await cacheCheck()), /"cache":"ok"/);
    await server[Symbol.asyncDispose]();
    for (const host of [LOCKED, "3000-demo.proxy.localhost", LOCKED]) {
      assert.equal((await gateway.send(host, REQUEST)).status, 204);
    }
    assert.match(JSON.stringify(await cacheCheck()), /"cache":"failing"/);
  },
);

redisTest(
  "a Redis that is full is seen by /ready and in the metrics, though it can be read",
  async () => {
    await using server = await startRedis();
    await using gateway = await startGateway({
      CACHE_URL: `redis://127.0.0.1:${server.port}`,
    });
    const failed = () =>
      Number(
        /store_operations_total\{operation="write",outcome="failed"\} (\d+)/
          .exec(gateway.service.renderMetrics())?.[1],
      );
    assert.equal((await gateway.send(LOCKED, REQUEST)).status, 204);
    assert.equal(failed(), 0);
    await server.command("CONFIG", "SET", "maxmemory", "1");
    assert.equal(
      (await gateway.send("3000-demo.proxy.localhost", REQUEST)).status,
      204,
    );
    await assertEventually(() => failed() > 0, "the write has failed");
    // What was known at the start is asked again after 5 s.
    using clock = skewClock();
    clock.jump(5_000);
    await assertEventually(async () => {
      const answer = await gateway.send("127.0.0.1", { path: "/ready" });
      return /"cache":"failing"/.test(answer.body);
    }, "/ready says so");
  },
);

for (
  const [name, start] of [
    ["a Cluster", startCluster],
    ["Sentinels", startSentinels],
  ] as const
) {
  redisTest(
    `the primary of ${name} that dies under load costs no request`,
    async () => {
      await using topology = await start();
      const { primaries: [primary], replicas: [replica], url } = topology;
      assert(primary && replica);
      await using gateway = await startGateway({ CACHE_URL: url });
      let isOver = false;
      /** The statuses of one visitor's requests. */
      async function visit(): Promise<number[]> {
        const seen: number[] = [];
        while (!isOver) {
          seen.push((await gateway.send(LOCKED, REQUEST)).status);
          await pause(10);
        }
        return seen;
      }
      const visits = Promise.all(Array.from({ length: 4 }, visit));
      visits.catch(() => {}); // read below; the test may fail before, and ends the gateway then
      await assertEventually(
        async () => Number(await primary.command("DBSIZE")) > 0,
        "it is used",
      );
      await primary[Symbol.asyncDispose]();
      await assertEventually(async () => {
        await pause(100);
        // Sentinels close the connections of whom they promote.
        const [role] = Object(await replica.command("ROLE").catch(() => []));
        const ready = await gateway.send("127.0.0.1", { path: "/ready" });
        return role === "master" && /"cache":"ok"/.test(ready.body);
      }, "its replica has taken its place, and is used");
      isOver = true;
      const statuses = (await visits).flat();
      assert(statuses.length > 100, String(statuses.length));
      assert.deepEqual(new Set(statuses), new Set([204]));
    },
  );
}

redisTest(
  "no key in Redis contains a token, and only Daytona's own entries contain a runner's key",
  async () => {
    await using server = await startRedis();
    await using gateway = await startGateway({
      CACHE_URL: `redis://127.0.0.1:${server.port}`,
    });
    assert.equal((await gateway.send(LOCKED, REQUEST)).status, 204);
    await gateway.service.close(); // waits for what is written behind answers
    const names = await server.command("KEYS", "*");
    assert(Array.isArray(names));
    const kinds = new Set(
      names.map((name) => String(name).replace(/:[^:]+$/, "")),
    );
    assert(kinds.has("porthole:sandbox-auth-key-valid"));
    assert(kinds.has("proxy:sandbox-public"));
    assert(kinds.has("proxy:sandbox-runner-info"));
    for (const name of names.map(String)) {
      const value = String(await server.command("GET", name));
      assert(!name.includes(KEYS.lockedToken), name);
      assert(!value.includes(KEYS.lockedToken), name);
      const isDaytonas = name.startsWith("proxy:sandbox-runner-info:");
      assert.equal(value.includes(KEYS.runner), isDaytonas, name);
    }
  },
);
