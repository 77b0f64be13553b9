/** Gateways, Daytona's API and its Go proxy read each other's entries in a real Redis. */
import assert from "node:assert/strict";
import { ownerLabels } from "../../../../src/resolver/owner_labels.ts";
import { openDurableStore } from "../../../../src/cache/open_store.ts";
import type { Runner } from "../../../../src/daytona/api.ts";
import { Background } from "../../../../src/lib/background.ts";
import { createSealer } from "../../../../src/lib/seal.ts";
import type { Destination } from "../../../../src/resolver/destination.ts";
import { UNMETERED } from "../../../../src/resolver/lookup_cache.ts";
import { SandboxResolver } from "../../../../src/resolver/own/sandboxes.ts";
import { destinationOn, NO_UPSTREAM } from "../../../support/destination.ts";
import {
  redisAt,
  type RedisServer,
  redisTest,
  startRedis,
} from "../../../support/redis_server.ts";
import { failureLog, manualClock } from "../fakes.ts";
import { BARE_RECORD } from "../../../support/sandbox_facts.ts";

const ID = "0b9d4b1c-6d1f-4d2e-9a9b-3f4b0f7f2a10";
const PUBLIC = `proxy:sandbox-public:${ID}`;
const RUNNER = `proxy:sandbox-runner-info:${ID}`;

const FIRST: Runner = {
  proxyUrl: "http://runner-1:3003",
  apiUrl: "http://runner-1:8080",
  apiKey: "key-1",
};
const SECOND: Runner = { ...FIRST, apiKey: "key-2" };

/** The answers of Daytona's API, and how often it was asked. */
interface Facts {
  isPublic: boolean;
  runner: Runner | null;
  asked: number;
  isDown?: boolean;
  labels?: Readonly<Record<string, string>>;
}

/** The sandbox resolver of one gateway, with its own clock. */
async function openGateway(port: number, facts: Facts) {
  const clock = manualClock(Date.now());
  const now = () => clock.now();
  const log = failureLog();
  const store = await openDurableStore(redisAt(port), {
    platformShared: false,
    now,
    onFailure: log.onFailure,
    deadlineMs: 10_000, // a busy machine is none of its failures
  });
  const background = new Background(() => {});
  function answer<V>(value: V): Promise<V> {
    facts.asked++;
    return facts.isDown
      ? Promise.reject(new Error("API is down"))
      : Promise.resolve(value);
  }
  const sandboxes = new SandboxResolver({
    isSandboxPublic: () => answer(facts.isPublic),
    runnerOfSandbox: () => answer(facts.runner),
    recordOf: () =>
      Promise.resolve({
        ...BARE_RECORD,
        owner: {
          labels: ownerLabels(facts.labels ?? {}),
          organizationId: null,
        },
      }),
  }, {
    cache: {
      location: { kind: "none" },
      maxEntries: 100,
      runnerTtlMs: 120_000,
      privateWithinMs: 10_000,
      publicTtlMs: 120_000,
      tokenTtlMs: 120_000,
      tokenRefusedTtlMs: 5_000,
      signedTokenTtlMs: 5_000,
      staleIfErrorMs: 600_000,
      tokenStaleIfErrorMs: 0,
    },
    store,
    now,
    onEvent() {},
    background,
    sealer: createSealer({ secrets: ["secret"], purpose: "runner", now }),
    appOrigin: "auto",
    upstream: NO_UPSTREAM,
    onPrivate() {},
  });
  return {
    clock,
    failures: log.failures,
    /** Resolves when all that the server had pushed before has arrived. */
    heard: () => store?.get(["sync"]),
    /** The answer of this gateway, once its writes have reached Redis. */
    async isPublic(id = ID): Promise<boolean> {
      const answer = await sandboxes.isPublic(id, UNMETERED);
      await background.settled();
      return answer;
    },
    async destination(id = ID): Promise<Destination | null> {
      const answer = await sandboxes.destinationOf(id, 3000, () => {});
      await background.settled();
      return answer;
    },
    [Symbol.dispose]: () => store?.close(),
  };
}

/** Where port 3000 of a sandbox is on a runner. */
function at(runner: Runner, id = ID): Destination {
  return destinationOn(runner, id);
}

async function valueOf(server: RedisServer, name: string): Promise<unknown> {
  return JSON.parse(String(await server.command("GET", name))).value;
}

redisTest(
  "a gateway finds another gateway's answers, in a format that Daytona's programs read",
  async () => {
    await using server = await startRedis();
    const facts = { isPublic: true, runner: FIRST, asked: 0 };
    using one = await openGateway(server.port, facts);
    using other = await openGateway(server.port, facts);
    assert.equal(await one.isPublic(), true);
    assert.deepEqual(await one.destination(), at(FIRST));
    assert.equal(await other.isPublic(), true);
    assert.deepEqual(await other.destination(), at(FIRST));
    assert.equal(facts.asked, 2);
    assert.equal(await valueOf(server, PUBLIC), true);
    const runner = await valueOf(server, RUNNER);
    assert(typeof runner === "object" && runner !== null);
    assert.deepEqual({ ...runner, runnerApiUrl: undefined }, {
      apiKey: "key-1",
      apiUrl: "http://runner-1:3003",
      proxyUrl: "http://runner-1:3003",
      runnerApiUrl: undefined,
      owner: { labels: {}, organizationId: null },
    });
  },
);

redisTest(
  "what a sandbox's labels say is stored beside its runner, in a member that Daytona's programs do not read",
  async () => {
    await using server = await startRedis();
    const labels = { "porthole.app-origin": "local", other: "1" };
    const facts = { isPublic: true, runner: FIRST, asked: 0, labels };
    using one = await openGateway(server.port, facts);
    assert.equal((await one.destination())?.appOrigin, "local");
    assert.deepEqual(await valueOf(server, RUNNER), {
      apiKey: "key-1",
      apiUrl: "http://runner-1:3003",
      proxyUrl: "http://runner-1:3003",
      runnerApiUrl: FIRST.apiUrl,
      owner: {
        labels: { "porthole.app-origin": "local" },
        organizationId: null,
      },
    });
    const unlabelled = { ...facts, labels: {}, asked: 0 };
    using other = await openGateway(server.port, unlabelled);
    assert.equal((await other.destination())?.appOrigin, "local");
    assert.equal(unlabelled.asked, 0);
  },
);

redisTest(
  "every gateway notices at once that the API deleted an entry",
  async () => {
    await using server = await startRedis();
    const facts = { isPublic: true, runner: FIRST, asked: 0 };
    using one = await openGateway(server.port, facts);
    using other = await openGateway(server.port, facts);
    for (const gateway of [one, other]) {
      for (let i = 0; i < 3; i++) {
        assert.equal(await gateway.isPublic(), true); // confirmed by the second time
        gateway.clock.time += 5_000;
      }
      assert.equal(await gateway.isPublic(), true);
      assert.deepEqual(await gateway.destination(), at(FIRST));
    }
    const { asked } = facts;
    facts.isPublic = false;
    facts.runner = SECOND;
    assert.equal(await server.command("DEL", PUBLIC), 1);
    assert.equal(await server.command("DEL", RUNNER), 1);
    for (const gateway of [one, other]) {
      await gateway.heard();
      assert.equal(await gateway.isPublic(), false);
      assert.deepEqual(await gateway.destination(), at(SECOND));
    }
    assert.equal(facts.asked, asked + 2);
  },
);

redisTest(
  "an entry of the API's is used at once, and completed in the background",
  async () => {
    await using server = await startRedis();
    const facts = { isPublic: true, runner: SECOND, asked: 0 };
    using gateway = await openGateway(server.port, facts);
    const value = { apiKey: "key-1", apiUrl: "http://runner-1:3003/" };
    await server.command("SET", RUNNER, JSON.stringify({ value }), "EX", "120");
    await server.command("SET", PUBLIC, '{"value":true}', "EX", "3600");
    const destination = await gateway.destination();
    assert.equal(destination?.origin.key, "http://runner-1:3003");
    assert.deepEqual(destination.headers, [
      ["x-daytona-authorization", "Bearer key-1"],
    ]);
    assert.equal(await gateway.isPublic(), true);
    assert.equal(facts.asked, 2);
    assert.deepEqual(await gateway.destination(), at(SECOND));
    assert.equal(await gateway.isPublic(), true);
    assert.equal(facts.asked, 2);
    assert(Number(await server.command("TTL", PUBLIC)) <= 120);
  },
);

redisTest(
  "the labels of a sandbox are read where Daytona's proxy has stored its runner without them, and then stored",
  async () => {
    await using server = await startRedis();
    const labels = { "porthole.app-origin": "local" };
    const facts = { isPublic: true, runner: FIRST, asked: 0, labels };
    const value = { apiKey: "key-1", apiUrl: "http://runner-1:3003" };
    await server.command("SET", RUNNER, JSON.stringify({ value }), "EX", "120");
    using one = await openGateway(server.port, facts);
    assert.equal((await one.destination())?.appOrigin, "local");
    using other = await openGateway(server.port, { ...facts, labels: {} });
    assert.equal((await other.destination())?.appOrigin, "local");
  },
);

redisTest(
  "negative answers do not mislead Daytona's programs: private is false, and a missing runner is not stored",
  async () => {
    await using server = await startRedis();
    const facts: Facts = { isPublic: false, runner: FIRST, asked: 0 };
    using gateway = await openGateway(server.port, facts);
    assert.equal(await gateway.isPublic(), false);
    assert.equal(await valueOf(server, PUBLIC), false);
    await gateway.destination();
    facts.runner = null;
    gateway.clock.time += 120_000;
    assert.equal(await gateway.destination(), null);
    assert.equal(await server.command("EXISTS", RUNNER), 0);
    const { asked } = facts;
    assert.equal(await gateway.destination(), null);
    assert.equal(facts.asked, asked);
  },
);

redisTest(
  "a malformed value is not used, and is replaced",
  async () => {
    const good = { apiKey: "key", apiUrl: "http://runner" };
    const runners: unknown[] = [
      null,
      "http://runner",
      [good],
      {},
      { apiKey: "key" },
      { ...good, apiKey: "key\r\nx-evil: 1" },
      { ...good, apiKey: "" },
      { ...good, apiKey: 7 },
      { ...good, apiUrl: "file:///etc/passwd" },
      { ...good, apiUrl: "javascript:alert(1)" },
      { ...good, apiUrl: "http://user:password@runner" },
      { ...good, apiUrl: "http://runner/?a=" },
      { ...good, apiUrl: ["http://runner"] },
      { ...good, proxyUrl: "ftp://runner" },
      { ...good, runnerApiUrl: "file:///etc/passwd" },
    ];
    await using server = await startRedis();
    const facts = { isPublic: false, runner: FIRST, asked: 0 };
    using gateway = await openGateway(server.port, facts);
    for (const [i, value] of runners.entries()) {
      const name = `proxy:sandbox-runner-info:sandbox-${i}`;
      await server.command("SET", name, JSON.stringify({ value }));
      const id = `sandbox-${i}`;
      const destination = await gateway.destination(id);
      assert.deepEqual(destination, at(FIRST, id), JSON.stringify(value));
      assert.equal(facts.asked, i + 1);
    }
    for (const [i, value] of ["true", 1, null, {}].entries()) {
      const name = `proxy:sandbox-public:sandbox-${i}`;
      await server.command("SET", name, JSON.stringify({ value }));
      assert.equal(await gateway.isPublic(`sandbox-${i}`), false);
      assert.equal(await valueOf(server, name), false);
    }
    assert.deepEqual(gateway.failures, []);
  },
);

redisTest("a gateway asks the API while Redis is down", async () => {
  const server = await startRedis();
  const facts = { isPublic: true, runner: FIRST, asked: 0 };
  using gateway = await openGateway(server.port, facts);
  assert.deepEqual(await gateway.destination(), at(FIRST));
  await server[Symbol.asyncDispose]();
  facts.runner = SECOND;
  assert.deepEqual(await gateway.destination(), at(FIRST));
  gateway.clock.time += 5_000;
  assert.deepEqual(await gateway.destination(), at(SECOND));
  assert.equal(await gateway.isPublic(), true);
  assert.deepEqual(
    gateway.failures.map(({ store, reason }) => [store, reason]),
    [["redis", "error"]],
  );
});

redisTest(
  "while the API is down, an entry that Redis expired is served stale, and a deleted one is not",
  async () => {
    await using server = await startRedis();
    const facts: Facts = { isPublic: true, runner: FIRST, asked: 0 };
    using gateway = await openGateway(server.port, facts);
    const { clock } = gateway;
    await gateway.isPublic();
    assert.deepEqual(await gateway.destination(), at(FIRST));
    facts.isDown = true;
    clock.time += 5_000;
    await server.command("DEL", PUBLIC);
    await assert.rejects(gateway.isPublic(), /API is down/);

    clock.time += 115_000;
    await server.command("DEL", RUNNER); // what Redis's own clock does by now
    for (let i = 0; i < 5; i++) {
      assert.deepEqual(await gateway.destination(), at(FIRST));
      clock.time += 120_000;
    }
    await assert.rejects(gateway.destination(), /API is down/);
  },
);
