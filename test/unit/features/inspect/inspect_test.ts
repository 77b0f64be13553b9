import assert from "node:assert/strict";
import { inspectRoute } from "../../../../src/features/inspect/inspect.ts";

Deno.test("inspectRoute() accepts the two paths of the owner's view and no other", () => {
  for (
    const [path, resource] of [
      ["/inspect/a-B_1", "page"],
      ["/inspect/a-B_1?x", "page"],
      ["/inspect/a-B_1/events", "events"],
    ]
  ) {
    assert.deepEqual(inspectRoute(path ?? ""), {
      sandboxId: "a-B_1",
      resource,
    });
  }
  for (
    const path of [
      "/inspect",
      "/inspect/",
      "/inspect/a/",
      "/inspect/a/events/",
      "/inspect/a%2fb",
      "/inspect/../toolbox",
      "/inspect/a/../b",
      `/inspect/${"a".repeat(65)}`,
    ]
  ) assert.equal(inspectRoute(path), undefined, path);
});
