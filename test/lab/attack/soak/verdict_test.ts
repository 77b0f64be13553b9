import assert from "node:assert/strict";
import { MIB } from "../attack.ts";
import { sample, series } from "./samples.ts";
import { faultsOf, type Findings } from "./verdict.ts";

const REST = { isAtRest: true, sample: sample(0, 100), wakesPerSec: 1 };

const WELL: Findings = {
  samples: series((atSec) => 150 + atSec % 7),
  outcomes: {
    total: 1,
    counts: new Map(),
    unexplainedCount: 0,
    troubles: new Map(),
  },
  before: REST,
  after: REST,
  alerts: ["PortholeApiFailing"],
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
  assert.deepEqual(faultsOf({ ...WELL, alerts: undefined }), []);
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
    [/^Alerts without a cause: PortholeDown/, {
      alerts: ["PortholeApiFailing", "PortholeDown"],
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
    [/^Exit code undefined/, { exitCode: undefined }],
  ];
  for (const [fault, difference] of cases) {
    await t.step(String(fault), () => {
      const [found = "", ...more] = faultsOf({ ...WELL, ...difference });
      assert.match(found, fault);
      assert.deepEqual(more, []);
    });
  }
});
