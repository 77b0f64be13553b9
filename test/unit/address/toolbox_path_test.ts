import assert from "node:assert/strict";
import { toolboxPath } from "../../../src/address/toolbox_path.ts";

Deno.test("toolboxPath() splits a toolbox path after the sandbox id and keeps the rest byte for byte", () => {
  for (
    const [path, sandboxId, target] of [
      ["/toolbox/a-B_1", "a-B_1", "/"],
      ["/toolbox/a/", "a", "/"],
      ["/toolbox/a?x=%2e", "a", "/?x=%2e"],
      ["/toolbox/a/files/%40//b?c&d=", "a", "/files/%40//b?c&d="],
      ["/toolbox/a/toolbox/b", "a", "/toolbox/b"],
    ]
  ) {
    assert.deepEqual(toolboxPath(path ?? ""), { sandboxId, target });
  }
});

Deno.test("toolboxPath() is malformed for a path below /toolbox without a valid sandbox id", () => {
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
  ) assert.equal(toolboxPath(path), "malformed", path);
});

Deno.test("toolboxPath() knows no other path", () => {
  for (const path of ["/", "/health", "/toolboxes/a/b", "/x/toolbox"]) {
    assert.equal(toolboxPath(path), undefined, path);
  }
});
