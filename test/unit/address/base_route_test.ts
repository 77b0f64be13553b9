import assert from "node:assert/strict";
import { baseRoute } from "../../../src/address/base_route.ts";

Deno.test("baseRoute() splits a toolbox path after the sandbox id and keeps the rest byte for byte", () => {
  for (
    const [path, sandboxId, target] of [
      ["/toolbox/a-B_1", "a-B_1", "/"],
      ["/toolbox/a/", "a", "/"],
      ["/toolbox/a?x=%2e", "a", "/?x=%2e"],
      ["/toolbox/a/files/%40//b?c&d=", "a", "/files/%40//b?c&d="],
      ["/toolbox/a/toolbox/b", "a", "/toolbox/b"],
    ]
  ) {
    assert.deepEqual(baseRoute(path ?? ""), {
      kind: "toolbox",
      sandboxId,
      target,
    });
  }
});

Deno.test("baseRoute() is malformed for a path below /toolbox without a valid sandbox id", () => {
  for (
    const path of [
      "/toolbox",
      "/toolbox/",
      "/toolbox?x",
      "/toolbox//x",
      "/toolbox/../x",
      "/toolbox/%2e%2e/x",
      "/toolbox/a%2fb/x",
      "/toolbox/a.b/x",
      `/toolbox/${"a".repeat(65)}/x`,
    ]
  ) assert.deepEqual(baseRoute(path), { kind: "malformed" }, path);
});

Deno.test("baseRoute() accepts the two paths of build logs and no other", () => {
  assert.deepEqual(baseRoute("/snapshots/s-1/build-logs?follow=true"), {
    kind: "build_logs",
    of: "snapshot",
    id: "s-1",
    query: "?follow=true",
  });
  assert.deepEqual(baseRoute("/sandboxes/s_1/build-logs"), {
    kind: "build_logs",
    of: "sandbox",
    id: "s_1",
    query: "",
  });
  for (
    const path of [
      "/",
      "/health",
      "/toolboxes/a/b",
      "/snapshots/a/build-logs/",
      "/snapshots/a/b/build-logs",
      "/snapshots/%61/build-logs",
      "/snapshots//build-logs",
      "/runners/a/build-logs",
      "/x/snapshots/a/build-logs",
      "/x/toolbox",
    ]
  ) assert.equal(baseRoute(path), undefined, path);
});
