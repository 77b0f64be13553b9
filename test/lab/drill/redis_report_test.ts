/** The report of Redis in trouble. */
import assert from "node:assert/strict";
import { formatRedis, isHarmless, type RedisResult } from "./redis_report.ts";

const RESULT: RedisResult = {
  name: "full",
  about: "it is full",
  seen: [
    { kind: "public", count: 100, p99Ms: 9.6, slowestMs: 20, wrong: {} },
  ],
  logins: { all: 7, kept: 7 },
  noticedSec: 2.04,
  usedAgainSec: null,
};

Deno.test("a trouble of Redis is harmless if no visit and no login is lost", () => {
  assert.equal(isHarmless(RESULT), true);
  assert.equal(isHarmless({ ...RESULT, logins: { all: 7, kept: 6 } }), false);
  const [seen] = RESULT.seen;
  assert(seen);
  const wrong = { "401 login_required": 3 };
  const lost = { ...RESULT, seen: [{ ...seen, wrong }] };
  assert.equal(isHarmless(lost), false);
  assert.equal(
    formatRedis(lost),
    "full: LOST; logins kept 7 of 7; seen after 2.0 s, used again after – s\n" +
      "  public: 3 × 401 login_required of 100; 10, 20 ms",
  );
});
