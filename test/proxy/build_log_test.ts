import assert from "node:assert/strict";
import { buildLogQuery } from "../../src/proxy/build_log.ts";

Deno.test("buildLogQuery() puts our image in the place of any that the caller names, and keeps the rest", () => {
  for (
    const [query, expected] of [
      ["", "?snapshotRef=a%2Fb%3A1"],
      ["?", "?snapshotRef=a%2Fb%3A1"],
      ["?follow=true", "?follow=true&snapshotRef=a%2Fb%3A1"],
      ["?snapshotRef=x&follow=true", "?follow=true&snapshotRef=a%2Fb%3A1"],
      ["?snapshotRef=x;follow=true", "?follow=true&snapshotRef=a%2Fb%3A1"],
      ["?follow=true&snapshotRef", "?follow=true&snapshotRef=a%2Fb%3A1"],
      ["?snapshotref=x", "?snapshotRef=a%2Fb%3A1"],
      ["?%73napshotRef=x", "?snapshotRef=a%2Fb%3A1"],
      ["?snapshotRef+=x&&a", "?a&snapshotRef=a%2Fb%3A1"],
      ["?%zz=1", "?%zz=1&snapshotRef=a%2Fb%3A1"],
    ]
  ) assert.equal(buildLogQuery(query ?? "", "a/b:1"), expected);
});
