/** The report of Redis in trouble. */
import assert from "node:assert/strict";
import {
  formatRedis,
  isHarmless,
  type RedisResult,
  redisSummary,
  redisText,
} from "./redis_report.ts";

const RESULT: RedisResult = {
  name: "full",
  about: "it is full",
  seen: [
    { kind: "public", count: 100, p99Ms: 9.6, slowestMs: 20, wrong: {} },
  ],
  logins: { all: 7, kept: 7 },
  logouts: { all: 2, kept: 2 },
  noticedSec: 2.04,
  usedAgainSec: 5,
};

Deno.test("a trouble of Redis is harmless if nothing is lost and it is seen from its begin to its end", () => {
  assert.equal(isHarmless(RESULT), true);
  for (
    const difference of [
      { logins: { all: 7, kept: 6 } },
      { logouts: { all: 2, kept: 1 } },
      { noticedSec: null },
      { usedAgainSec: null },
    ]
  ) assert.equal(isHarmless({ ...RESULT, ...difference }), false);
  const [seen] = RESULT.seen;
  assert(seen);
  const wrong = { "401 login_required": 3 };
  const lost = { ...RESULT, seen: [{ ...seen, wrong }] };
  assert.equal(isHarmless(lost), false);
  assert.equal(
    formatRedis(lost),
    "full: LOST; logins kept 7 of 7, logouts 2 of 2; seen after 2.0 s, used again after 5.0 s\n" +
      "  public: 3 × 401 login_required of 100; 10, 20 ms",
  );
});

Deno.test("the table of Redis in trouble tells of logins and of logouts", () => {
  const machine = {
    processor: "none",
    processors: 2,
    memoryGib: 1,
    system: "linux",
    loadAverage: 0,
    versions: {},
  };
  const text = redisText(machine, [RESULT]);
  const [head = [], , row = []] = text.split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) => line.split("|").map((cell) => cell.trim()));
  assert.equal(row[head.indexOf("Logins kept")], "7 of 7");
  assert.equal(row[head.indexOf("Logouts kept")], "2 of 2");
  assert.match(redisSummary([RESULT]), /^In 1 of 1 troubles .* 20 ms/);
});
