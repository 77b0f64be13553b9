/** The demo's app; the tests of forwarding use its other endpoints. */
import assert from "node:assert/strict";
import { startDemoApp } from "../../../scripts/stand_in/demo_app.ts";

Deno.test("the demo app's page is one file without outside resources", async () => {
  await using app = await startDemoApp();

  const response = await fetch(app.url);

  assert.equal(
    response.headers.get("content-type"),
    "text/html; charset=utf-8",
  );
  const html = await response.text();
  assert.match(html, /prefers-color-scheme/);
  assert.doesNotMatch(html, /(?:src|href)="(?:https?:)?\/\//);
});

Deno.test("the demo app's outputs, which scroll, can be reached by keyboard, and have names", async () => {
  await using app = await startDemoApp();
  const html = await (await fetch(app.url)).text();
  const outputs = html.match(/<output\b[^>]*>/g) ?? [];
  assert.equal(outputs.length, 4);
  for (const output of outputs) {
    assert.match(output, /\baria-label="[A-Z][^"]+"/);
    assert.match(output, /\btabindex="0"/);
  }
});

Deno.test("the demo app's /bytes announces sizes beyond memory, and stops with its reader", async () => {
  await using app = await startDemoApp();

  const response = await fetch(`${app.url}/bytes?size=1099511627776`);

  assert.equal(response.headers.get("content-length"), "1099511627776");
  await response.body?.cancel();
});
