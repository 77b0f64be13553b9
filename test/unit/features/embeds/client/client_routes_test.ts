import assert from "node:assert/strict";
import { embedClientRoutes } from "../../../../../src/features/embeds/client/client_routes.ts";
import { setUpControl } from "../../../../support/control.ts";

const FILES = [
  ["embed.js", "text/javascript; charset=utf-8"],
  ["embed.d.ts", "application/typescript; charset=utf-8"],
] as const;

Deno.test("a page of any origin may load the module and its types, and keeps them for minutes", async () => {
  const { send } = setUpControl(() => [embedClientRoutes]);
  for (const [name, type] of FILES) {
    const { response, status } = await send(`/.porthole/${name}`, {
      headers: { origin: "https://shop.test", "sec-fetch-site": "cross-site" },
    });
    assert.equal(status, 200);
    const source = new URL(
      `../../../../../src/features/embeds/client/${name}`,
      import.meta.url,
    );
    assert.equal(await response.text(), await Deno.readTextFile(source));
    const { headers } = response;
    assert.equal(headers.get("content-type"), type);
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.equal(headers.get("access-control-allow-origin"), "*");
    assert.equal(headers.get("cross-origin-resource-policy"), "cross-origin");
    assert.equal(headers.get("cache-control"), "public, max-age=300");
    assert.match(headers.get("etag") ?? "", /^"[\w-]{43}"$/);
  }
});

Deno.test("who has the module as it is, is told so", async () => {
  const { send } = setUpControl(() => [embedClientRoutes]);
  const path = "/.porthole/embed.js";
  const etag = (await send(path)).response.headers.get("etag") ?? "";
  for (
    const [wanted, status] of [
      [etag, 304],
      [`"other", W/${etag}`, 304],
      [`"other"`, 200],
    ] as const
  ) {
    const headers = { "if-none-match": wanted };
    const { response } = await send(path, { headers });
    assert.equal(response.status, status, wanted);
    assert.equal(response.headers.get("etag"), etag);
    assert.equal((await response.text()) === "", status === 304);
  }
});

Deno.test("HEAD has the module's headers, and another host than a base host has no module", async () => {
  const { send } = setUpControl(() => [embedClientRoutes]);
  const head = await send("/.porthole/embed.js", { method: "HEAD" });
  assert.deepEqual([head.status, await head.response.text()], [200, ""]);
  for (const [name] of FILES) {
    const { code } = await send(`/.porthole/${name}`, { base: null });
    assert.equal(code, "route_not_found");
  }
});
