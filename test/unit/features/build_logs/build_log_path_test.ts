import assert from "node:assert/strict";
import { buildLogPath } from "../../../../src/features/build_logs/build_log_path.ts";

Deno.test("buildLogPath() accepts the two paths of build logs and no other", () => {
  assert.deepEqual(buildLogPath("/snapshots/s-1/build-logs?follow=true"), {
    of: "snapshot",
    id: "s-1",
    query: "?follow=true",
  });
  assert.deepEqual(buildLogPath("/sandboxes/s_1/build-logs"), {
    of: "sandbox",
    id: "s_1",
    query: "",
  });
  for (
    const path of [
      "/",
      "/health",
      "/snapshots/a/build-logs/",
      "/snapshots/a/b/build-logs",
      "/snapshots/%61/build-logs",
      "/snapshots//build-logs",
      "/runners/a/build-logs",
      "/x/snapshots/a/build-logs",
    ]
  ) assert.equal(buildLogPath(path), undefined, path);
});
