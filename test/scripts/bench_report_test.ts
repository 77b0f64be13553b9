import assert from "node:assert/strict";
import { parseReport } from "../../scripts/bench/load.ts";
import { parseCpuTimeMs } from "../../scripts/bench/machine.ts";
import { formatReport } from "../../scripts/bench/report.ts";

const WRK = `Running 3s test @ http://127.0.0.1:4000/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     3.02ms    2.44ms  18.03ms   84.69%
    Req/Sec    21.18k   223.38    23.48k    54.55%
  63483 requests in 3.01s, 71.73MB read
Requests/sec:  21090.70
Transfer/sec:     23.83MB
`;

Deno.test("parseReport() finds the number of requests and the rate", () => {
  assert.deepEqual(parseReport(WRK), {
    requests: 63_483,
    requestsPerSec: 21_090.7,
  });
});

Deno.test("parseReport() refuses a report that tells of failures, or none at all", () => {
  const failed = WRK.replace(
    "Requests/sec",
    "  Non-2xx or 3xx responses: 12\nRequests/sec",
  );
  const cut = WRK.replace(
    "Requests/sec",
    "  Socket errors: connect 0, read 3, write 0, timeout 0\nRequests/sec",
  );

  assert.throws(() => parseReport(failed), /Non-2xx or 3xx responses: 12/);
  assert.throws(() => parseReport(cut), /Socket errors: connect 0, read 3/);
  assert.throws(() => parseReport(""), /Not a report/);
});

Deno.test("parseCpuTimeMs() adds user and system time behind a name of any kind", () => {
  const stat =
    "77 (a (b) c) S 1 77 77 0 -1 4194304 9 0 0 0 150 25 0 0 20 0 7 0 99 1 2";

  assert.equal(parseCpuTimeMs(stat), 1750);
});

function result(
  name: string,
  rounds: readonly [rate: number, cpu: number | undefined][],
) {
  const samples = rounds.map(([requestsPerSec, cpuMicrosPerRequest]) => ({
    requestsPerSec,
    cpuMicrosPerRequest,
  }));
  return { name, samples };
}

Deno.test("formatReport() compares the first result with each other one", () => {
  const report = formatReport([
    result("ours", [[20_000, 40], [30_000, 40]]),
    result("theirs", [[10_000, 80], [10_000, 60]]),
  ]);

  const rows = report.split("\n").map((line) => line.trim().split(/ {2,}/));
  assert.deepEqual(rows, [
    ["requests per second", "median", "min", "max", "CPU µs"],
    ["ours", "25000", "20000", "30000", "40.0"],
    ["theirs", "10000", "10000", "10000", "70.0"],
    [""],
    ["ratio, round by round", "median", "min", "max", "by CPU"],
    ["ours : theirs", "2.50", "2.00", "3.00", "1.75"],
    [""],
  ]);
});

Deno.test("formatReport() leaves processor time out where it was not measured", () => {
  const report = formatReport([
    result("ours", [[2, undefined]]),
    result("theirs", [[1, undefined]]),
  ]);

  assert.match(report, /^ours +2 +2 +2 +-$/m);
  assert.match(report, /^ours : theirs +2\.00 +2\.00 +2\.00 +-$/m);
});
