import assert from "node:assert/strict";
import type { UserAnswer } from "../../../src/daytona/api.ts";
import { GatewayError } from "../../../src/errors.ts";
import { UnknownBearers } from "../../../src/resolver/unknown_bearers.ts";

const START = 1_700_000_000_000;

/** An API that knows the bearer `good`, and counts what it is asked. */
function setUp(headers: (failed: number) => HeadersInit = () => ({})) {
  const clock = { ms: START };
  const bearers = new UnknownBearers(1000, () => clock.ms);
  const asked: string[] = [];
  let failed = 0;
  let holding: Promise<void> | undefined;

  async function ask(digest: string, clientAddress = "192.0.2.1") {
    try {
      return await bearers.ask({ digest, clientAddress }, async (onAnswer) => {
        asked.push(digest);
        await holding;
        const isGood = digest.startsWith("good");
        if (!isGood) failed++;
        onAnswer(answer(isGood ? 200 : 401, isGood ? {} : headers(failed)));
        return isGood;
      }, false);
    } catch (error) {
      assert(error instanceof GatewayError);
      return `${error.code} ${error.retryAfterSec}`;
    }
  }
  return {
    bearers,
    clock,
    asked,
    ask,
    holdUntil: (end: Promise<void>) => holding = end,
  };
}

function answer(status: number, headers: HeadersInit = {}): UserAnswer {
  return { status, headers: new Headers(headers) };
}

/** What an API says that tolerates `limit` wrong bearers in 20 s. */
function limitedTo(limit: number): (failed: number) => HeadersInit {
  return (failed) => ({
    "x-ratelimit-limit-failed-auth": `${limit}`,
    "x-ratelimit-remaining-failed-auth": `${limit - failed}`,
    "x-ratelimit-reset-failed-auth": "20",
  });
}

Deno.test("a client has three invented bearers asked about, and then waits; others are not concerned", async () => {
  const { ask, asked, clock } = setUp();
  for (let i = 0; i < 3; i++) assert.equal(await ask(`bad${i}`), false);
  assert.equal(await ask("bad3"), "too_many_refusals 180");
  assert.equal(await ask("good", "192.0.2.2"), true);
  assert.equal(asked.length, 4);
  clock.ms += 180_000;
  assert.equal(await ask("bad4"), false);
});

Deno.test("all clients together have five asked about, and eight within five minutes", async () => {
  const { ask, asked, clock } = setUp();
  for (let second = 0; second < 300; second++) {
    await ask(`bad${second}`, `192.0.2.${second % 250}`);
    clock.ms += 1000;
  }
  assert.equal(asked.length, 8);
  assert.match(String(await ask("bad", "198.51.100.1")), /^api_throttled \d+$/);
});

Deno.test("a bearer that was refused is not asked about again for a minute, whatever else is asked", async () => {
  const { ask, asked, clock } = setUp();
  await ask("bad");
  for (let i = 0; i < 100; i++) assert.equal(await ask("bad"), false);
  assert.equal(asked.length, 1);
  clock.ms += 60_001;
  await ask("bad");
  assert.equal(asked.length, 2);
});

Deno.test("good bearers cost nothing, and one that is known is asked about though nobody else's is", async () => {
  const { ask, clock } = setUp();
  for (let i = 0; i < 100; i++) assert.equal(await ask(`good${i}`), true);
  for (let i = 0; i < 20; i++) await ask(`bad${i}`, `198.51.100.${i}`);
  assert.match(String(await ask("good-but-new")), /^api_throttled /);
  assert.equal(await ask("good7"), true);
  clock.ms += 3_600_000;
  assert.equal(await ask("good-but-new"), true, "in time");
});

Deno.test("the asking stops at half of what the API says that it tolerates", async () => {
  const { ask, asked, clock } = setUp(limitedTo(4));
  assert.equal(await ask("bad0"), false);
  assert.equal(await ask("bad1"), false);
  assert.equal(await ask("bad2"), "api_throttled 20");
  assert.equal(asked.length, 2);
  clock.ms += 20_000;
  assert.equal(await ask("bad3"), false);
});

Deno.test("an API that blocks the address stops the asking for as long as it says; a quota's 429 does not", async () => {
  const { bearers, ask, clock } = setUp();
  function refuse(digest: string, headers: HeadersInit) {
    const bearer = { digest, clientAddress: "192.0.2.1" };
    return bearers.ask(bearer, (onAnswer) => {
      onAnswer(answer(429, headers));
      return Promise.reject(new GatewayError("user_throttled", ""));
    }, false).catch(({ code }) => code);
  }
  const quota = { "retry-after-authenticated": "30" };
  assert.equal(await refuse("somebody's", quota), "user_throttled");
  assert.equal(await ask("bad0"), false);
  assert.equal(
    await refuse("blocked", { "retry-after": "30" }),
    "user_throttled",
  );
  assert.equal(await ask("bad1"), "api_throttled 30");
  assert.equal(await ask("somebody's"), false, "known, so it is asked about");
  clock.ms += 30_000;
  assert.equal(await ask("bad2"), false);
});

Deno.test("few bearers are asked about at once, and who waits is told if the API is away", async () => {
  const { bearers, asked, ask, holdUntil } = setUp();
  const { promise, resolve } = Promise.withResolvers<void>();
  holdUntil(promise);
  const clients = Array.from({ length: 50 }, (_, i) => `192.0.2.${i}`);
  const answers = clients.map((client, i) => ask(`good${i}`, client));
  for (let i = 0; i < 10; i++) await Promise.resolve(); // whoever may ask does
  assert.equal(asked.length, 2);
  resolve();
  const settled = await Promise.all(answers);
  assert.equal(settled.filter((is) => is === true).length, 2 + 32);
  assert.equal(settled.filter((is) => is === "api_throttled 2").length, 16);

  const away = new GatewayError("api_unreachable", "");
  let calls = 0;
  const failed = clients.slice(0, 20).map((clientAddress, i) =>
    bearers.ask({ digest: `new${i}`, clientAddress }, async () => {
      calls++;
      await Promise.resolve();
      throw away;
    }, false)
  );
  const results = await Promise.allSettled(failed);
  assert(results.every(({ status }) => status === "rejected"));
  assert.equal(calls, 2);
  assert.equal(await ask("bad"), false, "nobody keeps a turn");
});

Deno.test("what fails through no fault of the bearer is not charged", async () => {
  const { bearers, ask } = setUp();
  for (let i = 0; i < 20; i++) {
    const bearer = { digest: `new${i}`, clientAddress: "192.0.2.1" };
    await assert.rejects(bearers.ask(bearer, (onAnswer) => {
      onAnswer(answer(500));
      return Promise.reject(new GatewayError("api_unreachable", ""));
    }, false));
  }
  assert.equal(await ask("bad"), false);
});
