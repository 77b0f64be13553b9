/** Several gateway processes with one database: what one learns is known to the others, and none depends on it. */
import assert from "node:assert/strict";
import { KEYS, type Stack, startStack } from "../../scripts/stand_in/stack.ts";
import { fulfilsWithin } from "../../src/lib/fulfils_within.ts";
import { assertEventually } from "../support/assert_eventually.ts";
import { DEMO, LOCKED } from "../support/gateway.ts";
import { createBrowser } from "../support/login.ts";
import { startMachine } from "../support/machine.ts";
import type { GatewayProcess } from "../support/process.ts";
import { redisTest } from "../support/redis_server.ts";
import {
  sharedTierTest as test,
  startRedisTier,
} from "../support/shared_tier.ts";

const TOKEN = { "x-daytona-preview-token": KEYS.lockedToken };

/** Far longer than an answer takes, ms. */
const ENDLESS_MS = 60_000;

/** The operations whose results are cached. */
const CACHED: readonly string[] = [
  "getRunnerBySandboxId",
  "isSandboxPublic",
  "isValidAuthToken",
];

/** The calls of these operations about existing sandboxes, sorted: the gateway's key is tried with an unknown one. */
function asked({ api }: Stack): string[] {
  return api.calls.filter(({ params: [id = ""] }) =>
    api.state.sandboxes.has(id)
  )
    .map(({ operation }): string => operation)
    .filter((operation) => CACHED.includes(operation)).sort();
}

test("what one gateway has asked the API, another does not ask again", async (tier) => {
  await using stack = await startStack();
  await using first = await startMachine(stack, tier);
  await using second = await startMachine(stack, tier);
  const previews = [[DEMO, {}], [LOCKED, TOKEN]] as const;
  for (const [host, headers] of previews) {
    assert.equal((await first.ask(host, { headers })).status, 200);
  }
  const questions = asked(stack);
  assert.deepEqual(questions, [
    "getRunnerBySandboxId",
    "isSandboxPublic",
    "isSandboxPublic",
    "isValidAuthToken",
  ]);
  // Responses do not wait for cache writes, but the end of the process does.
  assert.equal((await first.stop()).code, 0);
  for (const [host, headers] of previews) {
    assert.equal((await second.ask(host, { headers })).status, 200);
  }
  assert.deepEqual(asked(stack), questions);
});

/** The cookie of a user who has logged in at a gateway. */
async function logInAt({ port }: GatewayProcess): Promise<string> {
  const browser = createBrowser({ port });
  const url = `http://${LOCKED}:${port}/echo`;
  assert.equal((await browser.openAs("alice", url)).page.status, 200);
  return browser.cookieAt(url);
}

/** The status of what a private preview answers to its user. */
async function statusAt(at: GatewayProcess, cookie: string): Promise<number> {
  const { status } = await at.ask(`${LOCKED}:${at.port}`, {
    path: "/echo",
    headers: { cookie },
  });
  return status;
}

async function isIn(at: GatewayProcess, cookie: string): Promise<boolean> {
  return await statusAt(at, cookie) === 200;
}

/** Ends a login at a gateway; returns the status of its answer. */
async function logOutAt(at: GatewayProcess, cookie: string): Promise<number> {
  const base = `proxy.localhost:${at.port}`;
  const { status } = await at.ask(base, {
    method: "POST",
    path: "/logout",
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      "origin": `http://${base}`,
      cookie,
    },
    body: "sandbox=locked",
  });
  return status;
}

test("a login at one gateway counts at another, and so does its end", async (tier) => {
  await using stack = await startStack();
  await using first = await startMachine(stack, tier);
  await using second = await startMachine(stack, tier);
  const [staying, leaving] = [await logInAt(first), await logInAt(first)];
  assert(await isIn(second, staying));
  assert.equal(await logOutAt(first, leaving), 200);
  assert(!await isIn(second, leaving));
  assert(await isIn(second, staying));
});

redisTest(
  "a Redis that comes back empty brings no logout back, of before or of while it was away",
  async () => {
    await using tier = await startRedisTier();
    await using stack = await startStack();
    await using second = await startMachine(stack, tier);
    const cookies: string[] = [];
    {
      await using first = await startMachine(stack, tier);
      for (let count = 0; count < 3; count++) {
        const cookie = await logInAt(first);
        assert(await isIn(second, cookie));
        cookies.push(cookie);
      }
      const [before = "", during = "", staying = ""] = cookies;
      assert.equal(await logOutAt(first, before), 200);
      await tier.stop();
      assert.equal(await logOutAt(first, during), 503);
      await tier.restart();
      await assertEventually(
        async () => !await isIn(second, during),
        "the other gateway has heard of the logout",
      );
      assert(await isIn(second, staying));
    }
    await tier.stop();
    await tier.restart(); // and the gateway that ended them is gone
    const [before = "", during = "", staying = ""] = cookies;
    await assertEventually(
      async () => await isIn(second, staying),
      "Redis is used again",
    );
    for (const ended of [before, during]) {
      assert.equal(await isIn(second, ended), false);
    }
  },
);

redisTest(
  "a Redis that comes back empty ends no login, and gets those that were made while it was away",
  async () => {
    await using tier = await startRedisTier();
    await using stack = await startStack();
    await using first = await startMachine(stack, tier);
    await using second = await startMachine(stack, tier);
    const early = await logInAt(first); // the second gateway does not know of it
    await tier.stop();
    const late = await logInAt(first);
    assert.equal(await statusAt(second, early), 503);
    await tier.restart();
    for (const cookie of [early, late]) {
      assert(await isIn(first, cookie));
      const seen = new Set<number>();
      await assertEventually(async () => {
        const status = await statusAt(second, cookie);
        seen.add(status);
        return status === 200;
      }, "the other gateway knows the login");
      assert(!seen.has(401), [...seen].join());
    }
  },
);

test("while the database is away, every gateway answers by itself", async (tier) => {
  await using stack = await startStack();
  await using first = await startMachine(stack, tier);
  await using second = await startMachine(stack, tier);
  assert.equal((await first.ask(DEMO)).status, 200);
  await tier.stop();
  for (const machine of [first, second]) {
    const answers = Promise.all([
      machine.ask(DEMO),
      machine.ask(LOCKED, { headers: TOKEN }),
    ]);
    // A few operations of at most 250 ms each, not the client's endless retries.
    assert(await fulfilsWithin(answers, ENDLESS_MS));
    const statuses = (await answers).map(({ status }) => status);
    assert.deepEqual(statuses, [200, 200]);
    const ready = await machine.ask("proxy.localhost", { path: "/ready" });
    assert.equal(ready.status, 200);
    assert.equal(JSON.parse(ready.body).checks.cache, "failing");
  }
  await tier.restart();
  for (const machine of [first, second]) {
    assert.equal((await machine.ask(DEMO)).status, 200);
  }
});
