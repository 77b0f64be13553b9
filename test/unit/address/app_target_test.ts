import assert from "node:assert/strict";
import {
  appTarget,
  portPrefix,
  removeDotSegments,
  toolboxPrefix,
} from "../../../src/address/app_target.ts";

const PREFIX = "/sandboxes/box/toolbox/proxy/3000";

Deno.test("appTarget() appends the app's target byte for byte", () => {
  for (
    const target of [
      "/",
      "/a%2Fb",
      "/a//b",
      "//a",
      "/%40x/(y)/[z]",
      "/%C3%A9",
      "/%zz",
      "/a%5Cb",
      "/a\\b",
      "/.hidden/..data/...",
      "/a.b/c..d/..e",
      "/%252e%252e/x",
      "/..;/x",
      "/?a",
      "/?a=",
      "/?a=1;b",
      "/?x=%20+",
      "/?%",
      "/?../../x",
      "/a?b?c=/../d",
    ]
  ) {
    assert.equal(
      appTarget(PREFIX, target),
      PREFIX + target,
    );
  }
});

Deno.test("appTarget() resolves dot segments inside the app's path", () => {
  for (
    const [target, resolved] of [
      ["/..", "/"],
      ["/.", "/"],
      ["/../", "/"],
      ["/../../../../x", "/x"],
      ["/a/../b", "/b"],
      ["/a/./b/.", "/a/b/"],
      ["/a/b/..", "/a/"],
      ["/%2e%2e/%2E%2E/x", "/x"],
      ["/.%2e/%2e./x?q=..", "/x?q=.."],
      ["/%2e/x", "/x"],
      ["/a//../b", "/a/b"],
      ["/a/..?../x", "/?../x"],
    ] as const
  ) {
    assert.equal(
      appTarget(PREFIX, target),
      PREFIX + resolved,
      target,
    );
  }
});

Deno.test("appTarget() agrees with the WHATWG URL parser on plain dot segments", () => {
  const segments = ["a", ".", "..", "", "%2e", ".%2E"];
  for (const first of segments) {
    for (const second of segments) {
      for (const third of segments) {
        const path = `/${first}/${second}/${third}`;
        assert.equal(
          removeDotSegments(path),
          new URL(`http://h${path}`).pathname,
          path,
        );
      }
    }
  }
});

Deno.test("appTarget() refuses dots beside a separator that only some hops recognise", () => {
  for (
    const target of [
      "/..%2f..%2fx",
      "/..%2Fx",
      "/a%2f../x",
      "/a%2f..",
      "/..\\x",
      "/\\..\\x",
      "/..%5cx",
      "/%5c%2e%2e%5Cx",
      "/%2f%2e%2e%2f",
      "/a/..%2f/b",
      "/.%2f",
    ]
  ) {
    assert.equal(
      appTarget(PREFIX, target),
      undefined,
      target,
    );
  }
});

Deno.test("toolboxPrefix() and portPrefix() lead to the sandbox's daemon and to its proxy", () => {
  assert.equal(toolboxPrefix("box"), "/sandboxes/box/toolbox");
  assert.equal(portPrefix(toolboxPrefix("box"), 3000), PREFIX);
});

Deno.test("toolboxPrefix() throws for an id that would be a path", () => {
  for (const id of ["", "..", "a/b", "%2e%2e", "a b", "x".repeat(65)]) {
    assert.throws(
      () => toolboxPrefix(id),
      TypeError,
      id,
    );
  }
});

Deno.test("removeDotSegments() takes linear time for a path of dots only", () => {
  // Long enough that a backtracking pattern would not finish.
  assert.equal(removeDotSegments("/" + "%2f.".repeat(20_000)), undefined);
  assert.equal(removeDotSegments("/" + "../".repeat(20_000)), "/");
});
