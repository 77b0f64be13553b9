import assert from "node:assert/strict";
import { createReportLimit, isPending } from "../../../src/lib/cooldown.ts";

Deno.test("isPending() is true until the time has come or the clock is set back", () => {
  const at = (now: number) => isPending(10_000, { now, withinMs: 5_000 });
  assert(at(5_000));
  assert(at(9_999));
  assert(!at(10_000));
  assert(!at(4_999));
});

Deno.test("isPending() is always true for Infinity", () => {
  const withinMs = Infinity;
  assert(isPending(Infinity, { now: -1e15, withinMs }));
});

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
