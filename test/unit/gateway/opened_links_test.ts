import assert from "node:assert/strict";
import { OpenedLinks } from "../../../src/gateway/opened_links.ts";
import { previewOf } from "../../support/exchange.ts";

const PAGE = { accept: "text/html", "user-agent": "a browser" };

/** A request of a browser, with these differences. */
function from(
  { client = "192.0.2.1", headers = {}, method = "GET", port = 3000 }: {
    readonly client?: string;
    readonly headers?: Record<string, string>;
    readonly method?: string;
    readonly port?: number;
  } = {},
) {
  const host = { port };
  return previewOf({ ...PAGE, ...headers }, { method, host, client });
}

Deno.test("a browser that has opened a link is known at its next navigation to that host, and only then", () => {
  const links = new OpenedLinks(() => 0);
  assert.equal(links.take(from()), false);
  links.add(from());
  for (
    const other of [
      from({ client: "192.0.2.2" }),
      from({ headers: { "user-agent": "another browser" } }),
      from({ port: 3001 }),
      from({ method: "POST" }),
      from({ headers: { "sec-fetch-mode": "cors" } }),
    ]
  ) assert.equal(links.take(other), false);
  assert.equal(links.take(from()), true);
  assert.equal(links.take(from()), false);
});

Deno.test("an IPv6 client is known by its network", () => {
  const links = new OpenedLinks(() => 0);
  links.add(from({ client: "2001:db8::1" }));
  assert.equal(links.take(from({ client: "2001:db8::2" })), true);
});

Deno.test("a browser is forgotten ten seconds after it has opened a link, and programs are never remembered", () => {
  let now = 5000;
  const links = new OpenedLinks(() => now);
  links.add(from());
  now += 9999;
  assert.equal(links.take(from()), true);
  links.add(from());
  now += 10_000;
  assert.equal(links.take(from()), false);
  links.add(from({ headers: { accept: "*/*" } }));
  assert.equal(links.take(from()), false);
});

Deno.test("of many browsers, the latest are remembered", () => {
  const links = new OpenedLinks(() => 0);
  for (let i = 0; i < 1001; i++) {
    links.add(from({ headers: { "user-agent": `browser ${i}` } }));
  }
  const isKnown = (i: number) =>
    links.take(from({ headers: { "user-agent": `browser ${i}` } }));
  assert.deepEqual([0, 1, 1000].map(isKnown), [false, true, true]);
});
