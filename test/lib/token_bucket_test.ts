import assert from "node:assert/strict";
import { TokenBuckets } from "../../src/lib/token_bucket.ts";

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

Deno.test("TokenBuckets.take() takes a capacity of tokens from each key, then tells when to come back", () => {
  const { buckets } = setUp();
  for (let i = 0; i < 3; i++) assert.deepEqual(buckets.take("a"), OK);
  assert.deepEqual(buckets.take("a"), { ok: false, retryAfterSec: 1 });
  assert.deepEqual(buckets.take("b"), OK);
});

Deno.test("TokenBuckets.take() costs nothing where there is no token", () => {
  const { buckets, clock } = setUp({ refillPerSec: 0.5 });
  drain(buckets, "a");
  for (let i = 0; i < 100; i++) {
    assert.deepEqual(buckets.take("a"), { ok: false, retryAfterSec: 2 });
  }
  clock.ms += 2_000;
  assert.deepEqual(buckets.take("a"), OK);
});

Deno.test("TokenBuckets refill continuously, up to a capacity", () => {
  const { buckets, clock } = setUp({ refillPerSec: 0.5 });
  drain(buckets, "a");
  clock.ms += 1_900;
  assert.deepEqual(buckets.take("a"), { ok: false, retryAfterSec: 1 });
  clock.ms += 100;
  assert.equal(drain(buckets, "a"), 1);
  clock.ms += 3_600_000;
  assert.equal(drain(buckets, "a"), 3);
});

Deno.test("TokenBuckets.take() is true to its word: not before a token is due, but after retryAfterSec", () => {
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

Deno.test("TokenBuckets.giveBack() puts tokens back, as far as they fit", () => {
  const { buckets } = setUp();
  drain(buckets, "a");
  buckets.giveBack("a", 2);
  assert.equal(drain(buckets, "a"), 2);
  for (const key of ["a", "never seen"]) {
    buckets.giveBack(key, 100);
    assert.equal(drain(buckets, key), 3, key);
  }
});

Deno.test("TokenBuckets neither lose tokens nor stall when the clock is set back", () => {
  const { buckets, clock } = setUp();
  drain(buckets, "a");
  buckets.giveBack("a", 1);
  clock.ms -= 3_600_000;
  assert.equal(drain(buckets, "a"), 1);
  clock.ms += 1_000;
  assert.equal(drain(buckets, "a"), 1);
});

Deno.test("TokenBuckets forget the quietest key first, and none that is still asked for", () => {
  const { buckets } = setUp({ capacity: 1, maxKeys: 2 });
  drain(buckets, "busy");
  for (let i = 0; i < 100; i++) {
    drain(buckets, `other ${i}`);
    assert.equal(buckets.take("busy").ok, false);
  }
  assert.deepEqual(buckets.take("other 0"), OK);
});
