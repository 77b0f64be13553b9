import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { Accounts, type Expectation, MAX_DETAILS } from "./accounts.ts";
import { Door } from "./door.ts";
import { startLoad } from "./load.ts";
import { parseMetrics, type Sample, statusNumber, sumOf } from "./measure.ts";
import { fitTrend, minuteFloors } from "./statistics.ts";
import { faultsOf, type Findings, isGrowth, memoryTrend } from "./verdict.ts";

const GET: Expectation = {
  name: "GET",
  expected: ["200"],
  during: { runner_down: ["502"] },
};

function at(outcome: string, startedAt: number, endedAt: number) {
  return { outcome, startedAt, endedAt };
}

Deno.test("an outcome that is expected at any time is explained", () => {
  const accounts = new Accounts({ aftermathMs: 0 });

  accounts.record(GET, at("200", 0, 1));
  accounts.record(GET, at("200", 1, 2));
  accounts.record(GET, at("404", 2, 3));

  const { total, counts, unexplained, unexplainedCount } = accounts.summary();
  assert.equal(total, 3);
  assert.deepEqual([...counts.get("GET") ?? []], [["200", 2], ["404", 1]]);
  assert.deepEqual(unexplained, [{ name: "GET", ...at("404", 2, 3) }]);
  assert.equal(unexplainedCount, 1);
});

Deno.test("trouble explains the outcomes of operations that it overlaps with, and of no others", async (t) => {
  const cases: [string, number, number, boolean][] = [
    ["ended before it", 0, 99, false],
    ["was under way when it began", 0, 100, true],
    ["was within it", 120, 130, true],
    ["lasted longer", 0, 1000, true],
    ["began within the aftermath", 250, 300, true],
    ["began after it", 251, 300, false],
  ];
  for (const [name, startedAt, endedAt, isExplained] of cases) {
    await t.step(`an operation that ${name}`, () => {
      const accounts = new Accounts({ aftermathMs: 50 });
      accounts.begin("runner_down", 100)(200);
      accounts.begin("api_silent", 0)(10_000);
      accounts.record(GET, at("502", startedAt, endedAt));
      assert.equal(
        accounts.summary().unexplainedCount,
        isExplained ? 0 : 1,
      );
    });
  }
});

Deno.test("trouble that has not ended explains the outcomes that it causes, and no others", () => {
  const accounts = new Accounts({ aftermathMs: 0 });
  accounts.begin("runner_down", 10);

  accounts.record(GET, at("502", 20, 30));
  accounts.record(GET, at("200 wrong body", 20, 30));

  const { unexplained, troubles } = accounts.summary();
  assert.deepEqual(unexplained.map(({ outcome }) => outcome), [
    "200 wrong body",
  ]);
  assert.deepEqual([...troubles], [["runner_down", 1]]);
});

Deno.test("every unexplained outcome is counted and reported, and the first ones are kept", () => {
  let told = 0;
  const accounts = new Accounts({
    aftermathMs: 0,
    onUnexplained: () => told++,
  });

  for (let i = 0; i < MAX_DETAILS + 5; i++) accounts.record(GET, at("x", i, i));

  const { unexplained, unexplainedCount } = accounts.summary();
  assert.equal(unexplained.length, MAX_DETAILS);
  assert.equal(unexplainedCount, MAX_DETAILS + 5);
  assert.equal(told, MAX_DETAILS + 5);
});

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
  unfinished: [],
  metrics: new Map([
    ['porthole_http_requests_total{route="preview",status="2xx"}', 4],
    ['porthole_http_requests_total{route="control",status="2xx"}', 9],
  ]),
  logged: new Map([["INFO request", 4]]),
  complaints: [],
  exitCode: 0,
};

Deno.test("faultsOf() finds nothing in a soak that went well", () => {
  assert.deepEqual(faultsOf(WELL), []);
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

Deno.test("a load never exceeds its limit of operations at once, and waits for them at its end", async () => {
  const accounts = new Accounts({ aftermathMs: 0 });
  const enough = Promise.withResolvers<void>();
  let underWay = 0;
  let most = 0;
  let runs = 0;
  const operation = {
    ...GET,
    everyMs: 1,
    atOnce: 3,
    async run() {
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setTimeout(resolve, 5));
      underWay--;
      if (++runs === 12) enough.resolve();
      if (runs === 5) throw new Error("boom");
      return "200";
    },
  };

  const load = startLoad([operation], {
    accounts,
    now: () => performance.now(),
  });
  await enough.promise;
  const unfinished = await load.stop(10_000);

  assert.deepEqual(unfinished, []);
  assert.equal(underWay, 0);
  assert.equal(most, 3);
  const { total, unexplained } = accounts.summary();
  assert.equal(total, runs);
  assert.deepEqual(unexplained.map(({ outcome }) => outcome), [
    "error: Error: boom",
  ]);
});

Deno.test("a load names the operations that do not end", async () => {
  const accounts = new Accounts({ aftermathMs: 0 });
  const begun = Promise.withResolvers<void>();
  const load = startLoad([{
    ...GET,
    everyMs: 1,
    atOnce: 1,
    run() {
      begun.resolve();
      return new Promise<string>(() => {});
    },
  }], { accounts, now: () => performance.now() });
  await begun.promise;

  assert.deepEqual(await load.stop(1), ["GET"]);
});

Deno.test("a door relays, refuses connections while it is shut, and opens again on the same port", async () => {
  await using server = await startEcho();
  await using door = new Door(server.port);
  await door.open();
  assert.equal(await roundTrip(door.port), "hello");

  using cut = await Deno.connect({ port: door.port, hostname: "127.0.0.1" });
  await cut.write(new TextEncoder().encode("x"));
  assert.equal(await cut.read(new Uint8Array(9)), 1);
  await door.shut();
  await assert.rejects(roundTrip(door.port), Deno.errors.ConnectionRefused);
  const rest = await cut.read(new Uint8Array(9)).catch(() => null);
  assert.equal(rest, null);

  await door.open();
  assert.equal(await roundTrip(door.port), "hello");
});

async function startEcho() {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert(typeof address === "object" && address !== null);
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      await closed;
    },
  };
}

async function roundTrip(port: number): Promise<string> {
  using conn = await Deno.connect({ port, hostname: "127.0.0.1" });
  await conn.write(new TextEncoder().encode("hello"));
  await conn.closeWrite();
  let text = "";
  const buffer = new Uint8Array(64);
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) return text;
    text += new TextDecoder().decode(buffer.subarray(0, count));
  }
}
