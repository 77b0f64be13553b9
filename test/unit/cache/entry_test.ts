import {
  deepStrictEqual as deepEqual,
  strictEqual as equal,
} from "node:assert/strict";
import {
  backOff,
  type Entry,
  freshnessOf,
  timesOf,
} from "../../../src/cache/entry.ts";

function entry(staleIfErrorMs = 600_000): Entry<string> {
  return {
    ...timesOf({ now: 0, ttlMs: 120_000, staleIfErrorMs }),
    value: "v",
    recheckAt: Infinity,
    failures: 0,
    retryAt: 0,
  };
}

Deno.test("timesOf() sets the refresh to three quarters of the TTL and counts staleness from its end", () => {
  deepEqual(timesOf({ now: 1_000, ttlMs: 400, staleIfErrorMs: 50 }), {
    refreshAt: 1_300,
    expiresAt: 1_400,
    staleUntil: 1_450,
  });
});

Deno.test("freshnessOf() is fresh, then revalidate, then expired while the source works", () => {
  const at = (now: number) => freshnessOf(entry(), now);
  equal(at(89_999), "fresh");
  equal(at(90_000), "revalidate");
  equal(at(119_999), "revalidate");
  equal(at(120_000), "expired");
});

Deno.test("freshnessOf() is stale-if-error past the TTL if a fill failed within the last minute", () => {
  const failed = entry();
  backOff(failed, 120_000);
  equal(freshnessOf(failed, 120_000), "stale-if-error");
  equal(freshnessOf(failed, 120_000 + 60_999), "stale-if-error");
  equal(freshnessOf(failed, 120_000 + 61_000), "expired");
});

Deno.test("freshnessOf() is expired past the bound on staleness, even if a fill has failed", () => {
  const bounded = entry(5_000);
  backOff(bounded, 119_000);
  equal(freshnessOf(bounded, 124_999), "stale-if-error");
  equal(freshnessOf(bounded, 125_000), "expired");
  const never = entry(0);
  backOff(never, 119_000);
  equal(freshnessOf(never, 119_999), "revalidate");
  equal(freshnessOf(never, 120_000), "expired");
});

Deno.test("backOff() doubles the pause from 1 s to 10 s", () => {
  const failing = entry();
  const pauses = Array.from({ length: 6 }, () => {
    backOff(failing, 1_000_000);
    return failing.retryAt - 1_000_000;
  });
  deepEqual(pauses, [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
});

Deno.test("freshnessOf() is expired if the clock was set back to before the entry was created", () => {
  const at = (now: number) => freshnessOf(entry(), now);
  equal(at(-30_000), "fresh"); // another machine's clock may be ahead
  equal(at(-30_001), "expired");
  equal(at(-3_600_000), "expired");
});
