import assert from "node:assert/strict";
import { parseReport } from "./h2load.ts";

const REPORT =
  `Main benchmark duration is over for thread #0. Stopping all clients.

finished in 1.01s, 79476.00 req/s, 5.38MB/s
requests: 79476 total, 79540 started, 79476 done, 79476 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 79476 2xx, 0 3xx, 0 4xx, 0 5xx
                     min         max         mean         sd        +/- sd
time for request:       25us      7.59ms       572us       386us    92.51%
`;

const LOG = [500, 1500, 900].map((micros) => `1795746000\t200\t${micros}\n`)
  .join("");

Deno.test("parseReport() reads the number of requests and the rate of h2load, and the 99th percentile of its log", () => {
  assert.deepEqual(parseReport(REPORT, LOG), {
    requests: 79_476,
    requestsPerSec: 79_476,
    p99Ms: 1.5,
  });
});

Deno.test("parseReport() refuses reports of h2load with failures, and texts that are no report", () => {
  const failed = REPORT.replace("0 failed", "12 failed");
  const none = REPORT.replace("79476.00 req/s", "0.00 req/s");

  assert.throws(() => parseReport(failed, LOG), /12 failed/);
  assert.throws(() => parseReport(none, LOG), /Not a report/);
  assert.throws(() => parseReport("", LOG), /Not a report/);
});
