import assert from "node:assert/strict";
import { TokenBuckets } from "../../../src/lib/token_bucket.ts";

const OK = { ok: true };

function setUp(
  { capacity = 3, refillPerSec = 1, maxKeys = 10 } = {},
): { buckets: TokenBuckets; clock: { ms: number } } {
  const clock = { ms: 1_700_000_000_000 };
  const now = () => clock.ms;
  const limits = { capacity, refillPerSec, maxKeys };
  return { buckets: new TokenBuckets({ ...limits, now }), clock };
}

/** Takes all tokens of the key's bucket and returns how many there were. */
function drain(buckets: TokenBuckets, key: string): number {
  let taken = 0;
  while (buckets.take(key).ok) taken++;
  return taken;
}

Deno.test("take() takes up to the capacity from each key, then returns when to retry", () => {
  const { buckets } = setUp();
  for (let i = 0; i < 3; i++) assert.deepEqual(buckets.take("a"), OK);
  assert.deepEqual(buckets.take("a"), { ok: false, retryAfterSec: 1 });
  assert.deepEqual(buckets.take("b"), OK);
});

Deno.test("take() without a token does not delay the next one", () => {
  const { buckets, clock } = setUp({ refillPerSec: 0.5 });
  drain(buckets, "a");
  for (let i = 0; i < 100; i++) {
    assert.deepEqual(buckets.take("a"), { ok: false, retryAfterSec: 2 });
  }
  clock.ms += 2_000;
  assert.deepEqual(buckets.take("a"), OK);
});

Deno.test("buckets refill continuously, up to the capacity", () => {
  const { buckets, clock } = setUp({ refillPerSec: 0.5 });
  drain(buckets, "a");
  clock.ms += 1_900;
  assert.deepEqual(buckets.take("a"), { ok: false, retryAfterSec: 1 });
  clock.ms += 100;
  assert.equal(drain(buckets, "a"), 1);
  clock.ms += 3_600_000;
  assert.equal(drain(buckets, "a"), 3);
});

Deno.test("take() succeeds after retryAfterSec, and not before a token is due", () => {
  for (const refillPerSec of [0.1, 1 / 3, 0.7, 2, 1000]) {
    const { buckets, clock } = setUp({ refillPerSec });
    drain(buckets, "a");
    const refused = buckets.take("a");
    assert(!refused.ok);
    assert(Number.isInteger(refused.retryAfterSec));
    assert(refused.retryAfterSec >= 1);
    const dueMs = 1000 / refillPerSec;
    clock.ms += dueMs * 0.99;
    assert.equal(buckets.take("a").ok, false, `${refillPerSec}/s: early`);
    clock.ms += refused.retryAfterSec * 1000 - dueMs * 0.99;
    assert.deepEqual(buckets.take("a"), OK, `${refillPerSec}/s: in time`);
  }
});

Deno.test("giveBack() returns tokens, up to the capacity", () => {
  const { buckets } = setUp();
  drain(buckets, "a");
  buckets.giveBack("a", 2);
  assert.equal(drain(buckets, "a"), 2);
  for (const key of ["a", "never seen"]) {
    buckets.giveBack(key, 100);
    assert.equal(drain(buckets, key), 3, key);
  }
});

Deno.test("buckets neither lose tokens nor stall if the clock is set back", () => {
  const { buckets, clock } = setUp();
  drain(buckets, "a");
  buckets.giveBack("a", 1);
  clock.ms -= 3_600_000;
  assert.equal(drain(buckets, "a"), 1);
  clock.ms += 1_000;
  assert.equal(drain(buckets, "a"), 1);
});

Deno.test("the least recently used bucket is evicted first", () => {
  const { buckets } = setUp({ capacity: 1, maxKeys: 2 });
  drain(buckets, "busy");
  for (let i = 0; i < 100; i++) {
    drain(buckets, `other ${i}`);
    assert.equal(buckets.take("busy").ok, false);
  }
  assert.deepEqual(buckets.take("other 0"), OK);
});

Deno.test("charge() takes what is not there, and a bucket owes its capacity at most", () => {
  const { buckets, clock } = setUp();
  buckets.charge("a", 5);
  assert.equal(buckets.left("a"), -2);
  assert.deepEqual(buckets.check("a"), { ok: false, retryAfterSec: 3 });
  assert.deepEqual(buckets.take("a"), { ok: false, retryAfterSec: 3 });
  buckets.charge("a", 1000);
  assert.equal(buckets.left("a"), -3);
  clock.ms += 4_000;
  assert.deepEqual(buckets.check("a"), OK);
  assert.equal(drain(buckets, "a"), 1);
});
