import assert from "node:assert/strict";
import { createCookieJar, siteOf } from "./cookie_jar.ts";

const HERE = "http://3000-demo.proxy.localhost:4000/a/b";
const SAME_SITE = { method: "GET", crossSite: false };

Deno.test("cookie jar sends a cookie where its domain and path say", async (t) => {
  const cases: [string, string, string, boolean][] = [
    ["host-only", "a=1", HERE, true],
    ["host-only on another port", "a=1", HERE.replace(":4000", ""), true],
    ["host-only elsewhere", "a=1", "http://proxy.localhost/a/b", false],
    ["host-only below", "a=1", "http://x.3000-demo.proxy.localhost/a/b", false],
    [
      "a domain's host",
      "a=1; Domain=.Proxy.localhost",
      "http://proxy.localhost/a/",
      true,
    ],
    [
      "a domain's other host",
      "a=1; Domain=proxy.localhost",
      "http://8080-demo.proxy.localhost/a/",
      true,
    ],
    [
      "a host that ends like the domain",
      "a=1; Domain=proxy.localhost",
      "http://xproxy.localhost/a/",
      false,
    ],
    ["a foreign domain", "a=1; Domain=other.localhost", HERE, false],
    ["a public suffix", "a=1; Domain=localhost", HERE, false],
    ["the default path", "a=1", HERE.replace("/a/b", "/a"), true],
    ["outside the default path", "a=1", HERE.replace("/a/b", "/ab"), false],
    ["the root", "a=1; Path=/", HERE.replace("/a/b", "/x"), true],
    ["another path", "a=1; Path=/x", HERE, false],
    ["Secure over http", "a=1; Secure", HERE, false],
    ["no name", "=1", HERE, false],
  ];
  for (const [name, setCookie, url, isSent] of cases) {
    await t.step(name, () => {
      const jar = createCookieJar();
      jar.store(new URL(HERE), [setCookie]);
      assert.equal(
        jar.fieldFor(new URL(url), SAME_SITE),
        isSent ? "a=1" : undefined,
      );
    });
  }
});

Deno.test("cookie jar replaces and forgets cookies", () => {
  const jar = createCookieJar();
  const url = new URL(HERE);

  jar.store(url, ["a=1; Path=/", "b=2; Path=/", "c=3; Path=/a", "d=4"]);
  jar.store(url, ["a=5; Path=/; HttpOnly", "d=; Max-Age=0"]);
  assert.equal(jar.fieldFor(url, SAME_SITE), "c=3; a=5; b=2");

  jar.store(url, ["b=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]);
  assert.deepEqual(jar.cookies.map(({ name, httpOnly }) => [name, httpOnly]), [
    ["a", true],
    ["c", false],
  ]);
});

Deno.test("cookie jar heeds SameSite", () => {
  const jar = createCookieJar();
  const url = new URL(HERE);
  jar.store(url, ["strict=1; SameSite=Strict", "lax=1; SameSite=Lax", "not=1"]);

  function names(method: string, crossSite: boolean): string | undefined {
    return jar.fieldFor(url, { method, crossSite });
  }
  assert.equal(names("POST", false), "strict=1; lax=1; not=1");
  assert.equal(names("GET", true), "lax=1; not=1");
  assert.equal(names("POST", true), undefined);
});

Deno.test("siteOf() is the base domain or the address", () => {
  assert.equal(siteOf(new URL(HERE)), "proxy.localhost");
  assert.equal(siteOf(new URL("http://proxy.localhost:1/")), "proxy.localhost");
  assert.equal(siteOf(new URL("http://127.0.0.1:1/")), "127.0.0.1");
});
