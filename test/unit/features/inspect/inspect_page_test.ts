import assert from "node:assert/strict";
import { inspectPage } from "../../../../src/features/inspect/inspect_page.ts";

Deno.test("the owner's view links the other pages about its sandbox", () => {
  const pages = [{ url: "/a/", text: "One" }, { url: "/b/", text: "Two" }];
  const html = inspectPage("box_1", pages);
  assert.match(
    html,
    /<a href="\/a\/box_1">One<\/a> <a href="\/b\/box_1">Two</,
  );
  assert.doesNotMatch(inspectPage("<b>", pages), /<b>/);
});
