import assert from "node:assert/strict";
import { parseMetrics, type Sample, statusNumber, sumOf } from "./measure.ts";
import { fitTrend, minuteFloors } from "./statistics.ts";
import { faultsOf, type Findings, isGrowth, memoryTrend } from "./verdict.ts";

Deno.test("fitTrend() finds the slope of a line, and no error on it", () => {
  const points = [0, 60, 120, 180].map((atSec) => ({
    atSec,
    value: 5 + atSec / 60,
  }));

  const { perHour, errorPerHour, mean } = fitTrend(points);

  assert(Math.abs(perHour - 60) < 1e-9, `${perHour}`);
  assert(errorPerHour < 1e-9, `${errorPerHour}`);
  assert.equal(mean, 6.5);
});

Deno.test("fitTrend() gives the textbook's standard error for values that scatter independently", () => {
  // Residuals of alternating sign have no positive autocorrelation, so the error is not corrected.
  const points = [1, -1, 1, -1, 1, -1].map((value, atSec) => ({
    atSec,
    value,
  }));

  const { perHour, errorPerHour } = fitTrend(points);

  const slope = -3 / 17.5;
  const squares = 6 - slope ** 2 * 17.5;
  assert(Math.abs(perHour / 3600 - slope) < 1e-9);
  assert(Math.abs(errorPerHour / 3600 - Math.sqrt(squares / 4 / 17.5)) < 1e-9);
});

Deno.test("fitTrend() gives a larger error if each value is like the one before it", () => {
  const scattered = [0, 9, 0, 9, 0, 9, 0, 9, 0, 9, 0, 9];
  const drifting = [0, 0, 0, 9, 9, 9, 0, 0, 0, 9, 9, 9];
  function errorOf(values: number[]): number {
    return fitTrend(values.map((value, atSec) => ({ atSec, value })))
      .errorPerHour;
  }

  assert(errorOf(drifting) > 1.3 * errorOf(scattered));
});

Deno.test("fitTrend() refuses fewer than three points, and points of one moment", () => {
  const once = { atSec: 1, value: 1 };
  assert.throws(() => fitTrend([once, once, once]), RangeError);
  assert.throws(() => fitTrend([once, { atSec: 2, value: 1 }]), RangeError);
});

Deno.test("minuteFloors() keeps the minimum of each minute", () => {
  const points = [[0, 5], [59, 3], [60, 9], [119, 8], [300, 1]].map((
    [atSec = 0, value = 0],
  ) => ({ atSec, value }));

  assert.deepEqual(minuteFloors(points), [
    { atSec: 30, value: 3 },
    { atSec: 90, value: 8 },
    { atSec: 330, value: 1 },
  ]);
});

Deno.test("sumOf() adds a metric over its labels, without metrics whose names begin alike", () => {
  const metrics = parseMetrics(
    '# HELP a_total An a.\na_total{x="1"} 2\na_total{x="2"} 3\na_total_more 7\nb 1.5e3\n',
  );

  assert.equal(sumOf(metrics, "a_total"), 5);
  assert.equal(sumOf(metrics, "a_total", 'x="2"'), 3);
  assert.equal(sumOf(metrics, "b"), 1500);
  assert.equal(sumOf(metrics, "c"), 0);
});

Deno.test("statusNumber() reads proc_pid_status(5), and voluntary is not nonvoluntary", () => {
  const status =
    "Threads:\t7\nnonvoluntary_ctxt_switches:\t9\nvoluntary_ctxt_switches:\t41\n";
  assert.equal(statusNumber(status, "Threads"), 7);
  assert.equal(statusNumber(status, "voluntary_ctxt_switches"), 41);
});

const MIB = 1024 * 1024;

function sample(atSec: number, residentMib: number): Sample {
  return {
    atSec,
    residentBytes: residentMib * MIB,
    heapUsedBytes: 0,
    heapBytes: 0,
    externalBytes: 0,
    descriptors: 30,
    threads: 7,
    inFlight: 0,
    tunnels: 0,
    idleConnections: 0,
    activeConnections: 0,
    activityReports: 0,
    cpuSec: 0,
    healthMs: 1,
    sleeps: 0,
  };
}

/** Ten minutes of samples with the given resident memory. */
function series(residentMib: (atSec: number) => number): Sample[] {
  return Array.from(
    { length: 120 },
    (_, i) => sample(5 * i, residentMib(5 * i)),
  );
}

const REST = { isAtRest: true, sample: sample(0, 100), wakesPerSec: 1 };

const WELL: Findings = {
  samples: series((atSec) => 150 + atSec % 7),
  outcomes: {
    total: 1,
    counts: new Map(),
    unexplained: [],
    unexplainedCount: 0,
    troubles: new Map(),
  },
  before: REST,
  after: REST,
  statusWatch: { events: 9, longestGapMs: 15_000 },
  scrapes: {
    count: 9,
    failed: 0,
    slowestMs: 20,
    fired: new Map([["PortholeApiFailing", 60]]),
  },
  unfinished: [],
  metrics: new Map([
    ['porthole_http_requests_total{route="preview",status="2xx"}', 4],
    ['porthole_http_requests_total{route="control",status="2xx"}', 9],
  ]),
  logged: new Map([["INFO request", 4]]),
  complaints: [],
  exitCode: 0,
};

Deno.test("faultsOf() finds nothing in a soak that went well, with a Prometheus or without one", () => {
  assert.deepEqual(faultsOf(WELL), []);
  assert.deepEqual(faultsOf({ ...WELL, scrapes: undefined }), []);
});

Deno.test("faultsOf() finds nothing in a descriptor less than before, as that of a thread", () => {
  const sample = { ...REST.sample, descriptors: 29 };
  assert.deepEqual(faultsOf({ ...WELL, after: { ...REST, sample } }), []);
});

Deno.test("faultsOf() names each fault", async (t) => {
  const cases: [RegExp, Partial<Findings>][] = [
    [/^There was no load/, { outcomes: { ...WELL.outcomes, total: 0 } }],
    [/2 outcomes/, { outcomes: { ...WELL.outcomes, unexplainedCount: 2 } }],
    [/did not end: GET/, { unfinished: ["GET"] }],
    [/come to rest/, { after: { ...REST, isAtRest: false } }],
    [/^31 descriptors at rest, 30 before/, {
      after: { ...REST, sample: { ...REST.sample, descriptors: 31 } },
    }],
    [/^1 exchanges in flight/, {
      after: { ...REST, sample: { ...REST.sample, inFlight: 1 } },
    }],
    [/0 exchanges in flight at rest, 1 tunnels/, {
      after: { ...REST, sample: { ...REST.sample, tunnels: 1 } },
    }],
    [/status page stood still for 16 s/, {
      statusWatch: { events: 9, longestGapMs: 16_000 },
    }],
    [/^Prometheus did not scrape/, {
      scrapes: { count: 0, failed: 0, slowestMs: 0, fired: new Map() },
    }],
    [/^1 of 9 scrapes failed/, {
      scrapes: { count: 9, failed: 1, slowestMs: 20, fired: new Map() },
    }],
    [/^Alerts without a cause: PortholeDown/, {
      scrapes: {
        count: 9,
        failed: 0,
        slowestMs: 20,
        fired: new Map([["PortholeApiFailing", 5], ["PortholeDown", 5]]),
      },
    }],
    [/timers/, { after: { ...REST, wakesPerSec: 20 } }],
    [/^Resident memory grows by 60\.0 MiB/, {
      samples: series((atSec) => 150 + atSec / 60),
    }],
    [/^The heap grows by 60\.0 MiB/, {
      samples: WELL.samples.map((sample) => ({
        ...sample,
        heapUsedBytes: (20 + Math.floor(sample.atSec / 60)) * MIB,
      })),
    }],
    [/^3 log lines dropped/, {
      metrics: new Map([
        ...WELL.metrics,
        ["porthole_log_lines_dropped_total", 3],
      ]),
    }],
    [/^1 internal errors/, {
      metrics: new Map([
        ...WELL.metrics,
        ['porthole_errors_total{code="internal"}', 1],
      ]),
    }],
    [/complained: boom/, { complaints: ["boom"] }],
    [/^3 lines in the access log, but 4/, {
      logged: new Map([["INFO request", 3]]),
    }],
    [/^Exit code 1/, { exitCode: 1 }],
  ];
  for (const [fault, difference] of cases) {
    await t.step(String(fault), () => {
      const [found = "", ...more] = faultsOf({ ...WELL, ...difference });
      assert.match(found, fault);
      assert.deepEqual(more, []);
    });
  }
});

Deno.test("memoryTrend() fits the second half of a soak, and nothing to a few minutes", () => {
  const settled = memoryTrend(series((atSec) => Math.min(atSec, 200)));

  assert(settled !== undefined && !isGrowth(settled));
  assert.equal(settled.mean, 200);
  assert.equal(memoryTrend(series(() => 1).slice(0, 60)), undefined);
});

Deno.test("isGrowth() is true only for growth that is large and significant", () => {
  const mean = 150;
  assert(isGrowth({ perHour: 40, errorPerHour: 10, mean }));
  assert(!isGrowth({ perHour: 40, errorPerHour: 20, mean }));
  assert(!isGrowth({ perHour: 5, errorPerHour: 0.1, mean }));
  assert(!isGrowth({ perHour: -40, errorPerHour: 1, mean }));
});
