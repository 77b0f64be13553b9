import assert from "node:assert/strict";
import { MIB } from "./attack.ts";
import type { Trial } from "./trial.ts";
import { brokenPromises } from "./verdict.ts";
import type { Sight } from "../../support/visits.ts";
import type { Sights } from "./visitors.ts";

function sights(health: Partial<Sight> = {}): Sights {
  const well: Sight = { latenciesMs: Array(100).fill(2), wrong: {} };
  return {
    health: { ...well, ...health },
    preview: well,
    arrival: well,
    tunnel: well,
  };
}

const HELD: Trial = {
  attack: "S1-pongs",
  scheme: "http",
  sights: sights(),
  aftermath: sights(),
  losses: undefined,
  peakBytes: 256 * MIB,
  isKilled: false,
  drainMs: 1000,
  exitCode: 0,
  gains: [],
  complaints: [],
  othersShare: 0,
};

const LIMIT = { limitBytes: 256 * MIB };

Deno.test("an attack is held off if every promise is kept, up to its bound", () => {
  const latenciesMs = [...Array(60).fill(100), ...Array(40).fill(500)];
  const trial = { ...HELD, sights: sights({ latenciesMs }) };
  assert.deepEqual(brokenPromises(trial, LIMIT), []);
});

Deno.test("an attack is not held off if any promise is broken", async (t) => {
  const slow = [...Array(98).fill(2), 501, 501];
  const cases: [RegExp, Partial<Trial>][] = [
    [/^health: median 101 ms$/, {
      sights: sights({ latenciesMs: Array(100).fill(101) }),
    }],
    [/^health: p99 501 ms$/, { sights: sights({ latenciesMs: slow }) }],
    [/^health: no answers$/, { sights: sights({ latenciesMs: [] }) }],
    [/^health: 3 × 503 overloaded$/, {
      sights: sights({ wrong: { "503 overloaded": 3 } }),
    }],
    [/^afterwards health: 1 × silence$/, {
      aftermath: sights({ wrong: { silence: 1 } }),
    }],
    [/^257 MiB of memory$/, { peakBytes: 257 * MIB }],
    [/^killed above 256 MiB$/, { isKilled: true, exitCode: undefined }],
    [/^drain begins after 1001 ms$/, { drainMs: 1001 }],
    [/^drain begins after Infinity ms$/, { drainMs: Infinity }],
    [/^drain begins after NaN ms$/, { drainMs: NaN }],
    [/^it does not exit$/, { exitCode: undefined }],
    [/^exit code 1$/, { exitCode: 1 }],
    [/^reads the secret$/, { gains: ["reads the secret"] }],
    [/^it complains: boom$/, { complaints: ["boom"] }],
  ];
  for (const [broken, difference] of cases) {
    await t.step(String(broken), () => {
      const [found = "", ...more] = brokenPromises(
        { ...HELD, ...difference },
        LIMIT,
      );
      assert.match(found, broken);
      assert.deepEqual(more, []);
    });
  }
});

Deno.test("in a short run, latencies are not judged, but wrong answers and everything else are", () => {
  const short = { ...LIMIT, isShort: true };
  const slow = sights({ latenciesMs: Array(100).fill(9_000) });
  const trial = { ...HELD, sights: slow, drainMs: 9_000 };
  assert.deepEqual(brokenPromises(trial, short), []);
  const cases: [RegExp, Partial<Trial>][] = [
    [/^health: no answers$/, { sights: sights({ latenciesMs: [] }) }],
    [/^health: 1 × silence$/, { sights: sights({ wrong: { silence: 1 } }) }],
    [/^killed above 256 MiB$/, { isKilled: true }],
    [/^drain begins after Infinity ms$/, { drainMs: Infinity }],
    [/^it does not exit$/, { exitCode: undefined }],
    [/^reads the secret$/, { gains: ["reads the secret"] }],
  ];
  for (const [broken, difference] of cases) {
    const found = brokenPromises({ ...trial, ...difference }, short);
    assert.equal(found.length, 1, `${broken}: ${found}`);
    assert.match(found[0] ?? "", broken);
  }
});

Deno.test("an attack can have a limit, over plain HTTP for example, and the rest is still promised", () => {
  const limit = {
    over: "http",
    promises: { medianMs: Infinity, p99Ms: Infinity, areAnswered: false },
    reason: "so it is",
  } as const;
  const trial: Trial = {
    ...HELD,
    sights: sights({ latenciesMs: [3000], wrong: { silence: 1 } }),
  };
  assert.deepEqual(brokenPromises(trial, { ...LIMIT, limit }), []);
  assert.equal(
    brokenPromises({ ...trial, scheme: "https" }, { ...LIMIT, limit }).length,
    2,
  );
  assert.equal(
    brokenPromises({ ...trial, exitCode: 1, drainMs: 2000 }, {
      ...LIMIT,
      limit,
    }).length,
    2,
  );
});

Deno.test("what bystanders lose breaks a promise only if the attack must spare them", () => {
  const loss = { tried: 9, lost: 2 };
  const losses = {
    "lively": { tried: 9, lost: 0 },
    "quiet": loss,
    "large": loss,
    "neighbour's page": loss,
    "neighbour's lively": loss,
    "neighbour's quiet": loss,
  };
  const trial = { ...HELD, losses };
  assert.deepEqual(brokenPromises(trial, { ...LIMIT, spares: ["lively"] }), []);
  assert.deepEqual(
    brokenPromises(trial, { ...LIMIT, spares: ["lively", "large"] }),
    ["large: 2 lost"],
  );
});
