/**
 * Sandboxes that become private, in front of an API that repeats its answers for 3 s: whoever asked it before, nobody
 * gets in 10 s later (PRIVATE_WITHIN_SEC).
 */
import assert from "node:assert/strict";
import { setTimeout as realSleep } from "node:timers/promises";
import { KEYS, type Stack, startStack } from "../../scripts/stand_in/stack.ts";
import { type FakeClock, fakeClock } from "../support/fake_clock.ts";
import { DEMO, startGatewayOf, type TestGateway } from "../support/gateway.ts";
import { redisTest as test, startRedis } from "../support/redis_server.ts";
import { sharedTierTest } from "../support/shared_tier.ts";

/** How much later a sandbox may still be public, ms. */
const LATE_MS = 10_000;

/** As long as the API repeats an answer, ms. */
const REPEATED_MS = 3_000;

/** The time between two requests, ms. */
const STEP_MS = 250;

/** The entry that the API deletes from its own Redis when the visibility of `demo` changes, and its own memory there. */
const ENTRY = "proxy:sandbox-public:demo";
const ANSWER = "preview:public:demo";

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

async function isOpen(
  gateway: TestGateway,
  clock: FakeClock,
): Promise<boolean> {
  const answered = new AbortController();
  const { signal } = answered;
  const answer = gateway.send(DEMO).finally(() => answered.abort());
  // It may wait, by this clock, for what another gateway is about to be told.
  while (await realSleep(100, true, { signal }).catch(() => false)) {
    clock.pass(50);
  }
  return wasOpen(await answer);
}

/** Whether an answer is the app's; otherwise it is a login's. */
function wasOpen(
  { status, code }: Awaited<ReturnType<TestGateway["send"]>>,
): boolean {
  assert(status === 200 || code === "login_required", String(status));
  return status === 200;
}

/** Has a public sandbox in use for ten seconds. */
async function use(
  gateways: readonly TestGateway[],
  clock: FakeClock,
): Promise<void> {
  for (let ms = 0; ms < 10_000; ms += STEP_MS) {
    for (const gateway of gateways) assert(await isOpen(gateway, clock));
    clock.pass(STEP_MS);
  }
}

/** Times from the change to the first requests, ms. */
const FIRST_REQUESTS = [0, 600, 1_500, 2_900, 4_000];

/**
 * Makes `demo` private just after somebody has asked the API. The gateways are asked from `firstMs` on: each must refuse
 * its visitors after 5 s, and the API's own 3 s must have mattered to one of them.
 */
async function becomesPrivate(
  stack: Stack,
  { clock, gateways, firstMs, everyMs, change = () => {}, inUse = false }: {
    readonly clock: FakeClock;
    readonly gateways: readonly TestGateway[];
    readonly firstMs: number;
    readonly everyMs: number;
    /** What else happens at once. */
    readonly change?: () => unknown;
    /** True if the gateways have asked before, so that the API may repeat its answer for less than 3 s. */
    readonly inUse?: boolean;
  },
): Promise<void> {
  await somebodyAsks(stack);
  stack.api.sandbox("demo").public = false;
  const changedAt = Date.now();
  const passed = () => Date.now() - changedAt;
  await change();
  clock.pass(firstMs);
  for (let nextMs = firstMs; nextMs < LATE_MS; nextMs += everyMs) {
    clock.pass(Math.max(0, nextMs - passed()));
    for (const gateway of gateways) {
      const open = await isOpen(gateway, clock);
      const isRepeated = !inUse && passed() < REPEATED_MS;
      assert(open || !isRepeated, "the API has not repeated its answer");
    }
  }
  clock.pass(Math.max(0, LATE_MS - passed()));
  for (const [i, gateway] of gateways.entries()) {
    const what = `gateway ${i}, first request after ${firstMs} ms`;
    assert(!await isOpen(gateway, clock), what);
  }
}

/** The same for two gateways with these environments. */
async function becomesPrivateAtBoth(
  [env, otherEnv]: readonly [Environment, Environment],
  { inUse, ...times }: {
    readonly firstMs: number;
    readonly everyMs: number;
    /** True if they have been asked before. */
    readonly inUse: boolean;
  },
): Promise<void> {
  using clock = fakeClock();
  await using stack = await startRepeatingStack();
  await using one = await startGatewayOf(stack, env);
  await using other = await startGatewayOf(stack, otherEnv);
  const gateways = [one, other];
  if (inUse) await use(gateways, clock);
  await becomesPrivate(stack, { clock, gateways, inUse, ...times });
}

type Environment = Readonly<Record<string, string>>;

/** Two gateways that share nothing, like two processes. */
const APART = [{}, { CACHE_URL: "none" }] as const;

for (const everyMs of [STEP_MS, 4_000, LATE_MS]) {
  Deno.test(`A2: what was made private before its first request is private 10 s later, with a request every ${everyMs} ms`, async () => {
    for (const firstMs of FIRST_REQUESTS) {
      await becomesPrivateAtBoth(APART, { firstMs, everyMs, inUse: false });
    }
  });

  sharedTierTest(
    `A2: the same with one database, with a request every ${everyMs} ms`,
    async ({ environment }) => {
      const times = { firstMs: 1_500, everyMs };
      const both = [environment, environment] as const;
      await becomesPrivateAtBoth(both, { ...times, inUse: false });
    },
  );

  Deno.test(`A2: what is made private while it is in use is private 10 s later, without any database, with a request every ${everyMs} ms`, async () => {
    for (const firstMs of FIRST_REQUESTS) {
      await becomesPrivateAtBoth(APART, { firstMs, everyMs, inUse: true });
    }
  });

  sharedTierTest(
    `A2: what is made private while it is in use is private 10 s later, though the API does not know their database, with a request every ${everyMs} ms`,
    async ({ environment }) => {
      const times = { firstMs: 600, everyMs };
      const both = [environment, environment] as const;
      await becomesPrivateAtBoth(both, { ...times, inUse: true });
    },
  );

  test(`A2: what is made private while it is in use is private 10 s later, if the API says so in Redis, with a request every ${everyMs} ms`, async () => {
    for (const firstMs of FIRST_REQUESTS) {
      using clock = fakeClock();
      await using redis = await startRedis();
      await redis.command("SET", ANSWER, "1");
      await using stack = await startRepeatingStack();
      const env = { CACHE_URL: `redis://127.0.0.1:${redis.port}` };
      await using one = await startGatewayOf(stack, env);
      await using other = await startGatewayOf(stack, env);
      const gateways = [one, other];
      await use(gateways, clock);
      clock.pass(REPEATED_MS); // the API remembers nothing of it
      await becomesPrivate(stack, {
        clock,
        gateways,
        firstMs,
        everyMs,
        change: () => redis.command("DEL", ENTRY),
      });
    }
  });
}

Deno.test("PRIVATE_WITHIN_SEC says how long that takes", async () => {
  for (const [withinSec, lateMs] of [["5", 5_000], ["30", 30_000]] as const) {
    using clock = fakeClock();
    await using stack = await startRepeatingStack();
    const env = { CACHE_URL: "none", PRIVATE_WITHIN_SEC: withinSec };
    await using gateway = await startGatewayOf(stack, env);
    await somebodyAsks(stack);
    // Alone, a gateway waits for nobody, and the times are exact.
    const isOpenNow = async () => wasOpen(await gateway.send(DEMO));
    stack.api.sandbox("demo").public = false;
    clock.pass(REPEATED_MS - 50);
    assert(await isOpenNow());
    clock.pass(lateMs - REPEATED_MS - 50);
    assert(await isOpenNow()); // if anybody waits for the answer, it is another
    clock.pass(100);
    assert(!await isOpenNow());
  }
});

Deno.test("PUBLIC_TTL_SEC lets a sandbox that was made private stay public, if so wanted", async () => {
  for (const [ttlSec, isLate] of [["2", false], ["20", true]] as const) {
    using clock = fakeClock();
    await using stack = await startRepeatingStack();
    const env = { CACHE_URL: "none", PUBLIC_TTL_SEC: ttlSec };
    await using gateway = await startGatewayOf(stack, env);
    await use([gateway], clock);
    stack.api.sandbox("demo").public = false;
    clock.pass(LATE_MS);
    assert.equal(await isOpen(gateway, clock), isLate);
    clock.pass(18_000);
    assert(!await isOpen(gateway, clock));
  }
});

test("A2: an answer from before the change that arrives after it confirms nothing", async () => {
  using clock = fakeClock();
  await using redis = await startRedis();
  await redis.command("SET", ANSWER, "1");
  await using stack = await startRepeatingStack();
  const env = { CACHE_URL: `redis://127.0.0.1:${redis.port}` };
  await using one = await startGatewayOf(stack, env);
  await using other = await startGatewayOf(stack, env);
  assert(await isOpen(one, clock));
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
  const late = isOpen(one, clock);
  await asked.promise;
  await becomesPrivate(stack, {
    clock,
    gateways: [one], // the other one would tell it
    firstMs: 500,
    everyMs: STEP_MS,
    async change() {
      await redis.command("DEL", ENTRY);
      assert(await isOpen(other, clock)); // which stores what the API repeats
      held.resolve();
      assert(await late);
    },
  });
});

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
    assert(await isOpen(gateway, clock));
  }
  await using gateway = await startGatewayOf(stack, file);
  assert(await isOpen(gateway, clock));
  clock.pass(LATE_MS);
  assert(!await isOpen(gateway, clock));
});

/**
 * How often the API is asked about a public sandbox in 90 s, at a request every 250 ms.
 * @param settle Resolves once the store has answered what it was asked before: to this clock, that could take seconds
 */
async function questions(
  env: Record<string, string>,
  settle: () => Promise<unknown> = () => Promise.resolve(),
): Promise<number> {
  using clock = fakeClock();
  await using stack = await startRepeatingStack();
  await using gateway = await startGatewayOf(stack, env);
  const { api } = stack;
  async function useFor(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      assert(await isOpen(gateway, clock));
      await settle();
      clock.pass(STEP_MS);
    }
  }
  await useFor(6_000);
  const atFirst = api.count("isSandboxPublic");
  assert(atFirst < 8, String(atFirst));
  await useFor(80_000);
  return api.count("isSandboxPublic") - atFirst;
}

test("a public sandbox in use costs a few questions at first, and then one in 90 s if the API tells of changes by its Redis", async () => {
  await using redis = await startRedis();
  await redis.command("SET", ANSWER, "1");
  const env = { CACHE_URL: `redis://127.0.0.1:${redis.port}` };
  const settle = () => redis.command("PING");
  assert(await questions(env, settle) < 5);
  await redis.command("FLUSHALL");
  assert(await questions(env, settle) > 20);
});

Deno.test("a public sandbox in use costs a question in 3.5 s otherwise, unless PUBLIC_TTL_SEC says how long it may be wrong", async () => {
  const asked = await questions({ CACHE_URL: "none" });
  assert(20 < asked && asked <= 23, String(asked)); // 80 s / 3.5 s at most
  const env = { CACHE_URL: "none", PUBLIC_TTL_SEC: "120" };
  assert(await questions(env) < 5);
});
