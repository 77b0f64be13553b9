/** What clients may ask at once, and have refused, on the complete service: alone, and together with other gateways. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { listenOnLoopback } from "../../scripts/stand_in/loopback.ts";
import { startStack } from "../../scripts/stand_in/stack.ts";
import { addSandbox } from "../support/add_sandbox.ts";
import { assertEventually } from "../support/assert_eventually.ts";
import { fakeClock } from "../support/fake_clock.ts";
import {
  type Answer,
  DEMO,
  LOCKED,
  startGateway,
  startGatewayOf,
  type TestGateway,
} from "../support/gateway.ts";
import { redisTest as test, startRedis } from "../support/redis_server.ts";
import { skewClock } from "../support/skewed_clock.ts";

/** A gateway that knows `count` public sandboxes from nothing, and whose API answers once it is let. */
async function startWithColdSandboxes(
  count: number,
  environment: Readonly<Record<string, string>> = {},
) {
  await using started = new AsyncDisposableStack();
  const runner = createServer((_, response) => response.end("app"));
  const { port } = started.use(await listenOnLoopback(runner));
  const gateway = started.use(
    await startGateway({ API_CLIENT_TIMEOUT_SEC: "60", ...environment }),
  );
  const ids = Array.from({ length: count }, (_, i) => `cold-${i}`);
  for (const id of ids) addSandbox(gateway.stack, id, port);
  const slow = Promise.withResolvers<void>();
  const { api } = gateway.stack;
  api.beforeAnswer = async ({ params: [id = ""] }) => {
    if (id.startsWith("cold-")) await slow.promise;
  };
  const owned = started.move();
  return {
    gateway,
    answers: slow.resolve,
    visit: (id: string, headers: Record<string, string> = {}) =>
      gateway.send(`3000-${id}.proxy.localhost`, { headers }),
    ids,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Sends requests at once; `settledOrAsked` resolves when each is answered, or has its question at the API. */
function atOnce(
  { stack: { api } }: TestGateway,
  operation: "isSandboxPublic" | "isValidAuthToken",
  requests: readonly Promise<Answer>[],
) {
  const before = api.count(operation);
  let answered = 0;
  for (const request of requests) request.then(() => answered++);
  return assertEventually(
    () => api.count(operation) - before + answered >= requests.length,
    "every request is answered, or waits for the API",
  );
}

Deno.test("hundreds of cold previews from one address wait for a slow API, and nobody is told to have been refused", async () => {
  await using world = await startWithColdSandboxes(450);
  const { gateway, answers, ids, visit } = world;
  const visits = ids.map((id) => visit(id));
  await atOnce(gateway, "isSandboxPublic", visits);
  const asked = gateway.stack.api.count("isSandboxPublic");
  answers();
  const ends = (await Promise.all(visits))
    .map(({ status, code }) => `${status} ${code}`);
  assert.deepEqual([new Set(ends), asked], [new Set(["200 null"]), 450]);
});

Deno.test("who waits for more answers of the API than an address may is told so, while what is cached and other addresses go on", async () => {
  await using world = await startWithColdSandboxes(13, {
    MAX_LOOKUPS_PER_CLIENT: "10",
    TRUSTED_PROXIES: "127.0.0.1",
  });
  const { gateway, answers, ids, visit } = world;
  assert.equal((await gateway.send(DEMO)).status, 200);
  const [late = "", other = "", paged = "", ...first] = ids;
  const visits = first.map((id) => visit(id));
  await atOnce(gateway, "isSandboxPublic", visits);
  const turnedAway = await visit(late);
  const cached = await gateway.send(DEMO);
  visits.push(
    visit(other, { "x-forwarded-for": "192.0.2.1" }),
    visit(paged, { "sec-fetch-site": "cross-site" }),
  );
  answers();
  for (const { status } of await Promise.all(visits)) assert.equal(status, 200);
  assert.deepEqual(
    [turnedAway.status, turnedAway.code, turnedAway.headers.get("retry-after")],
    [429, "too_many_lookups", "2"],
  );
  assert.equal(cached.status, 200);
  assert.equal((await visit(late)).status, 200);
});

Deno.test("forged tokens, however many at once, ask the API no more often than the budget and the lookups under way allow", async () => {
  using _ = fakeClock(); // nothing is refilled
  await using gateway = await startGateway({
    REFUSALS_PER_MINUTE: "30",
    MAX_LOOKUPS_PER_CLIENT: "20",
  });
  const { api } = gateway.stack;
  const forge = () =>
    gateway.send(LOCKED, {
      headers: { "x-daytona-preview-token": crypto.randomUUID() },
    });
  assert.equal((await forge()).status, 401);
  const codes = new Set<string | null>();
  for (let wave = 0; wave < 4; wave++) {
    const slow = Promise.withResolvers<void>();
    api.beforeAnswer = () => slow.promise;
    const forged = Array.from({ length: 100 }, forge);
    await atOnce(gateway, "isValidAuthToken", forged);
    slow.resolve();
    for (const { code } of await Promise.all(forged)) codes.add(code);
  }
  assert(api.count("isValidAuthToken") <= 30 + 20);
  assert.deepEqual(
    codes,
    new Set(["credential_invalid", "too_many_lookups", "too_many_refusals"]),
  );
  api.beforeAnswer = undefined;
  assert.equal((await forge()).code, "too_many_refusals");
});

test("gateways that share a Redis share the refusals of a client, and keep no address there", async () => {
  using clock = skewClock();
  clock.jump(60_000 - Date.now() % 60_000); // all of it is in one minute
  await using redis = await startRedis();
  await using stack = await startStack();
  const environment = {
    CACHE_URL: `redis://127.0.0.1:${redis.port}`,
    REFUSALS_PER_MINUTE: "30",
  };
  await using first = await startGatewayOf(stack, environment);
  await using second = await startGatewayOf(stack, environment);

  /** How many guesses a gateway has the API judge before it turns their client away. */
  async function guesses(gateway: TestGateway): Promise<number> {
    for (let judged = 0;; judged++) {
      const { code } = await gateway.send(LOCKED, {
        headers: { "x-daytona-preview-token": crypto.randomUUID() },
      });
      if (code === "too_many_refusals") return judged;
    }
  }

  const atFirst = await guesses(first);
  assert(atFirst >= 29, String(atFirst)); // the first one asks twice
  async function counter(): Promise<string> {
    return String(await redis.command("KEYS", "porthole:refusals:*"));
  }
  await assertEventually(async () => {
    const total = Number(await redis.command("GET", await counter()));
    return total >= atFirst;
  }, "the first gateway has told what it counted");
  assert.match(await counter(), /^porthole:refusals:\d+:[\w-]{43}$/);
  const ttlSec = Number(await redis.command("TTL", await counter()));
  assert(0 < ttlSec && ttlSec <= 120, String(ttlSec));
  const atSecond = await guesses(second);
  assert(atSecond >= 1 && atSecond < 15, String(atSecond));
});
