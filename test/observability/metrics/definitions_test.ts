import assert from "node:assert/strict";
import type { operations } from "../../../gen/daytona.ts";
import type { CacheEvent } from "../../../src/cache/cache.ts";
import type { AnswerKind } from "../../../src/directory/answers.ts";
import type {
  ExchangeEnd,
  RouteKind,
} from "../../../src/observability/access_log.ts";
import {
  DURATIONS,
  SERIES,
} from "../../../src/observability/metrics/definitions.ts";
import type { ActivityEvent } from "../../../src/proxy/activity.ts";

// The table repeats names from layers that it cannot import: a new name there fails to compile here.
const ROUTES: Record<RouteKind | "control", true> = {
  preview: true,
  toolbox: true,
  build_logs: true,
  control: true,
};
const ENDS: Record<ExchangeEnd, true> = {
  complete: true,
  client_gone: true,
  client_stalled: true,
  upstream_failed: true,
  aborted: true,
};
const CACHE_KINDS: Record<AnswerKind | "login-session", true> = {
  "sandbox-public": true,
  "sandbox-runner-info": true,
  "sandbox-auth-key-valid": true,
  "sandbox-access": true,
  "signed-token": true,
  "login-session": true,
};
const CACHE_EVENTS: Record<CacheEvent, true> = {
  hit: true,
  stale: true,
  durable_hit: true,
  miss: true,
  fill_failed: true,
  codec_failed: true,
};
const ACTIVITY: Record<ActivityEvent, true> = {
  reported: true,
  failed: true,
  dropped: true,
};
const OPERATIONS: Record<keyof operations, true> = {
  isSandboxPublic: true,
  isValidAuthToken: true,
  hasSandboxAccess: true,
  getSandboxIdFromSignedPreviewUrlToken: true,
  getRunnerBySandboxId: true,
  getRunnerFullById: true,
  getSandbox: true,
  getSnapshot: true,
  updateLastActivity: true,
  ConfigController_getConfig: true,
};

Deno.test("the table of metrics lists every name that other layers use", () => {
  const { requests, requestEnds, activityReports, apiCalls } = SERIES;
  const { cacheRequests, cacheFailures } = SERIES;
  const cases: [used: Record<string, true>, listed: readonly string[]][] = [
    [ROUTES, requests.labels.route],
    [ENDS, requestEnds.labels.end],
    [CACHE_KINDS, cacheRequests.labels.kind],
    [CACHE_EVENTS, [
      ...cacheRequests.labels.result,
      ...cacheFailures.labels.failure,
    ]],
    [ACTIVITY, activityReports.labels.outcome],
    [OPERATIONS, apiCalls.labels.operation],
  ];
  for (const [used, listed] of cases) {
    assert.deepEqual(Object.keys(used), [...listed]);
  }
});

Deno.test("metrics are named as Prometheus wants them: prefix, unit, _total for counters", () => {
  for (const { name, type } of [SERIES, DURATIONS].flatMap(Object.values)) {
    assert.match(name, /^(porthole|process)(_[a-z]+)+$/);
    assert.equal(name.endsWith("_total"), type === "counter", name);
    if (type === "histogram") assert.match(name, /_seconds$/);
  }
});

Deno.test("buckets ascend", () => {
  for (const { name, boundsMs } of Object.values(DURATIONS)) {
    const ascending = [...new Set(boundsMs)].sort((a, b) => a - b);
    assert.deepEqual([...boundsMs], ascending, name);
  }
});
