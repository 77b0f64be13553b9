import assert from "node:assert/strict";
import { createReportLimit } from "../../src/lib/report_limit.ts";

const MINUTE_MS = 60_000;

Deno.test("createReportLimit() allows each kind once a minute", () => {
  const clock = { now: 1_000_000 };
  const mayReport = createReportLimit(() => clock.now);
  assert(mayReport("timeout"));
  assert(mayReport("error"));
  clock.now += MINUTE_MS - 1;
  assert(!mayReport("timeout"));
  clock.now += 1;
  assert(mayReport("timeout"));
});

Deno.test("createReportLimit() allows a report after the clock was set back", () => {
  const clock = { now: 10 * MINUTE_MS };
  const mayReport = createReportLimit(() => clock.now);
  assert(mayReport("timeout"));
  clock.now -= 5 * MINUTE_MS;
  assert(mayReport("timeout"));
});
