import assert from "node:assert/strict";
import { parseMemory, parseUsage, statusNumber } from "./machine.ts";
import { parseReport } from "./wrk.ts";

const WRK = `Running 3s test @ http://127.0.0.1:4000/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     3.02ms    2.44ms  18.03ms   84.69%
    Req/Sec    21.18k   223.38    23.48k    54.55%
  Latency Distribution
     50%    2.51ms
     75%    3.20ms
     90%    6.02ms
     99%   12.40ms
  63483 requests in 3.01s, 71.73MB read
Requests/sec:  21090.70
Transfer/sec:     23.83MB
`;

Deno.test("parseReport() reads the number of requests, the rate and the 99th percentile", () => {
  assert.deepEqual(parseReport(WRK), {
    requests: 63_483,
    requestsPerSec: 21_090.7,
    p99Ms: 12.4,
  });
});

Deno.test("parseReport() reads times in every unit of wrk", () => {
  function p99Of(text: string): number {
    return parseReport(WRK.replace("12.40ms", text)).p99Ms;
  }

  assert.equal(p99Of("812.00us"), 0.812);
  assert.equal(p99Of("1.25s "), 1250);
  assert.equal(p99Of("1.50m"), 90_000);
});

Deno.test("parseReport() refuses reports of failures, and texts that are no report", () => {
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

Deno.test("parseUsage() adds user and system time, and counts page faults, whatever the program's name contains", () => {
  const stat =
    "77 (a (b) c) S 1 77 77 0 -1 4194304 9 0 0 0 150 25 0 0 20 0 7 0 99 1 2";

  assert.deepEqual(parseUsage(stat), { cpuMs: 1750, faults: 9 });
});

Deno.test("parseMemory() reads the resident memory and its peak", () => {
  const status = "Name:\tdeno\nVmHWM:\t   91234 kB\nVmRSS:\t   81234 kB\n";

  assert.deepEqual(parseMemory(status), { now: 81_234, peak: 91_234 });
});

Deno.test("statusNumber() reads proc_pid_status(5), and voluntary is not nonvoluntary", () => {
  const status =
    "Threads:\t7\nnonvoluntary_ctxt_switches:\t9\nvoluntary_ctxt_switches:\t41\n";
  assert.equal(statusNumber(status, "Threads"), 7);
  assert.equal(statusNumber(status, "voluntary_ctxt_switches"), 41);
});
