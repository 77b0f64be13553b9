/**
 * Sandboxes that become private, in front of an API that repeats its answers for 3 s: whoever asked it before, nobody
 * gets in 5 s later.
 */
import assert from "node:assert/strict";
import { KEYS, type Stack, startStack } from "../../scripts/stand_in/stack.ts";
import { type FakeClock, fakeClock } from "../support/fake_clock.ts";
import { DEMO, startGatewayOf, type TestGateway } from "../support/gateway.ts";
import { redisTest, startRedis } from "../support/redis_server.ts";
import { sharedTierTest } from "../support/shared_tier.ts";

/** How much later a sandbox may still be public, ms. */
const LATE_MS = 5_000;

/** The time between two requests, ms. */
const STEP_MS = 250;

/** The entry that the API deletes from Redis when the visibility of `demo` changes. */
const ENTRY = "proxy:sandbox-public:demo";

/** Starts a stack whose API repeats its answers. */
async function startRepeatingStack(): Promise<Stack> {
  const stack = await startStack();
  stack.api.cache.isOn = true;
  return stack;
}

/** Asks the API whether `demo` is public, as another program of the installation does. */
async function somebodyAsks({ api }: Stack): Promise<void> {
  const response = await fetch(`${api.url}/preview/demo/public`, {
    headers: { authorization: `Bearer ${KEYS.service}` },
  });
  assert.equal(await response.text(), "true");
}

async function isOpen(gateway: TestGateway): Promise<boolean> {
  const { status, code } = await gateway.send(DEMO);
  assert(status === 200 || code === "login_required", String(status));
  return status === 200;
}

/** Times from the change to the first requests, ms. */
const FIRST_REQUESTS = [0, 600, 1_500, 2_250, 4_000];

/**
 * Makes `demo` private just after somebody has asked the API. The gateways are asked from `firstMs` on: each must refuse
 * its visitors after 5 s, and the API's own 3 s must have mattered to one of them.
 */
async function becomesPrivate(
  stack: Stack,
  { clock, gateways, firstMs, everyMs, change = () => {} }: {
    readonly clock: FakeClock;
    readonly gateways: readonly TestGateway[];
    readonly firstMs: number;
    readonly everyMs: number;
    /** What else happens at once. */
    readonly change?: () => unknown;
  },
): Promise<void> {
  await somebodyAsks(stack);
  stack.api.sandbox("demo").public = false;
  await change();
  clock.pass(firstMs);
  for (let ms = firstMs; ms < LATE_MS; ms += STEP_MS) {
    if ((ms - firstMs) % everyMs === 0) {
      for (const gateway of gateways) {
        const open = await isOpen(gateway);
        if (ms < 3_000) assert(open, "the API has not repeated its answer");
      }
    }
    clock.pass(STEP_MS);
  }
  for (const [i, gateway] of gateways.entries()) {
    const what = `gateway ${i}, first request after ${firstMs} ms`;
    assert(!await isOpen(gateway), what);
  }
}

for (const everyMs of [STEP_MS, 1_000, LATE_MS]) {
  Deno.test(`A2: what was made private before its first request is private 5 s later, with a request every ${everyMs} ms`, async () => {
    for (const firstMs of FIRST_REQUESTS) {
      using clock = fakeClock();
      await using stack = await startRepeatingStack();
      // They share nothing, like worker threads.
      await using one = await startGatewayOf(stack);
      await using other = await startGatewayOf(stack, { CACHE_URL: "none" });
      const gateways = [one, other];
      await becomesPrivate(stack, { clock, gateways, firstMs, everyMs });
    }
  });

  sharedTierTest(
    `A2: the same with one database, with a request every ${everyMs} ms`,
    async (tier) => {
      using clock = fakeClock();
      await using stack = await startRepeatingStack();
      await using one = await startGatewayOf(stack, tier.environment);
      await using other = await startGatewayOf(stack, tier.environment);
      const gateways = [one, other];
      const firstMs = 1_500;
      await becomesPrivate(stack, { clock, gateways, firstMs, everyMs });
    },
  );

  redisTest(
    `A2: what is made private while it is in use is private 5 s later, if the API says so in Redis, with a request every ${everyMs} ms`,
    async () => {
      for (const firstMs of FIRST_REQUESTS) {
        using clock = fakeClock();
        await using redis = await startRedis();
        await using stack = await startRepeatingStack();
        const env = { CACHE_URL: `redis://127.0.0.1:${redis.port}` };
        await using one = await startGatewayOf(stack, env);
        await using other = await startGatewayOf(stack, env);
        const gateways = [one, other];
        for (let ms = 0; ms < 10_000; ms += STEP_MS) {
          for (const gateway of gateways) assert(await isOpen(gateway));
          clock.pass(STEP_MS);
        }
        await becomesPrivate(stack, {
          clock,
          gateways,
          firstMs,
          everyMs,
          change: () => redis.command("DEL", ENTRY),
        });
      }
    },
  );
}

Deno.test("A2: with PUBLIC_TTL_SEC=2, what is made private while it is in use is private 5 s later, without any database", async () => {
  for (const firstMs of FIRST_REQUESTS) {
    using clock = fakeClock();
    await using stack = await startRepeatingStack();
    const env = { CACHE_URL: "none", PUBLIC_TTL_SEC: "2" };
    await using gateway = await startGatewayOf(stack, env);
    for (let ms = 0; ms < 10_000; ms += STEP_MS) {
      assert(await isOpen(gateway));
      clock.pass(STEP_MS);
    }
    await becomesPrivate(stack, {
      clock,
      gateways: [gateway],
      firstMs,
      everyMs: STEP_MS,
    });
  }
});

redisTest(
  "A2: an answer from before the change that arrives after it confirms nothing",
  async () => {
    using clock = fakeClock();
    await using redis = await startRedis();
    await using stack = await startRepeatingStack();
    const env = { CACHE_URL: `redis://127.0.0.1:${redis.port}` };
    await using one = await startGatewayOf(stack, env);
    await using other = await startGatewayOf(stack, env);
    assert(await isOpen(one));
    clock.pass(10_000);
    // The answer that would confirm the first one is on its way when the sandbox becomes private.
    const held = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    stack.api.fault = async (call, answer) => {
      const answered = await answer();
      if (call.operation !== "isSandboxPublic") return answered;
      stack.api.fault = undefined;
      asked.resolve();
      await held.promise;
      return answered;
    };
    const late = isOpen(one);
    await asked.promise;
    await becomesPrivate(stack, {
      clock,
      gateways: [one], // the other one would tell it
      firstMs: 500,
      everyMs: STEP_MS,
      async change() {
        await redis.command("DEL", ENTRY);
        assert(await isOpen(other)); // which stores what the API repeats
        held.resolve();
        assert(await late);
      },
    });
  },
);

Deno.test("A2: an answer that a restarted gateway finds in its file is confirmed as well", async () => {
  using clock = fakeClock();
  await Deno.mkdir("data/test", { recursive: true });
  const folder = await Deno.makeTempDir({ dir: "data/test" });
  await using cleanUp = new AsyncDisposableStack();
  cleanUp.defer(() => Deno.remove(folder, { recursive: true }));
  const file = { CACHE_URL: `kv:${folder}/cache.db` };
  await using stack = await startRepeatingStack();
  await somebodyAsks(stack);
  stack.api.sandbox("demo").public = false;
  {
    await using gateway = await startGatewayOf(stack, file);
    assert(await isOpen(gateway));
  }
  await using gateway = await startGatewayOf(stack, file);
  assert(await isOpen(gateway));
  clock.pass(LATE_MS);
  assert(!await isOpen(gateway));
});

Deno.test("a public sandbox is asked about a few times at first, and then as seldom as its TTL says", async () => {
  using clock = fakeClock();
  await using stack = await startRepeatingStack();
  await using gateway = await startGatewayOf(stack);
  const asked = () => stack.api.count("isSandboxPublic");
  const before = asked();
  async function use(forMs: number): Promise<void> {
    for (let ms = 0; ms < forMs; ms += STEP_MS) {
      assert(await isOpen(gateway));
      clock.pass(STEP_MS);
    }
  }
  await use(6_000);
  const atFirst = asked() - before;
  assert(atFirst <= 5, String(atFirst));
  await use(80_000);
  assert.equal(asked() - before, atFirst);
});
